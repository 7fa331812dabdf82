"""The pictures in a multipart form (RFC 7578), cut out of it while it arrives.

Each chunk is searched at C speed, and once: a parser that walks over characters can be kept busy for seconds
by 20 MiB of line ends, and searching and copying a photo in one go would hold up everybody else.
"""

from __future__ import annotations

import re

from service.errors import BadForm, TooLarge, WrongField

MAX_PARTS = 100  # a batch of pictures and some fields
MAX_BOUNDARY = 70  # characters, as RFC 2046 (5.1.1) has it

_OPTION = re.compile(rb';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_MAX_HEAD = 8192  # bytes before the data of one part
_DAMAGED = "A part of the multipart form is damaged: send it again."


class Form:
    """A form that arrives in chunks, and what its fields of one name hold."""

    def __init__(self, content_type: bytes, name: bytes) -> None:
        self._content_type = content_type
        self._name = name
        self._separator = b""  # known from the first chunk on
        self._found: list[list[bytes]] = []
        self._part: list[bytes] | None = None  # where the data of the present part goes, if it is wanted
        self._parts = 0
        self._in_head = False
        self._ended = False
        self._rest = b"\r\n"  # to be looked at with the next chunk; the first line has no line end before it

    def take(self, chunk: bytes) -> None:
        """The next chunk, of any size; raises `WrongField`, `BadForm` or `TooLarge` once that is known."""
        if self._ended:
            return
        self._separator = self._separator or _separator(self._content_type, self._name)
        data, at = self._rest + chunk, 0
        while not self._ended:
            after = self._head(data, at) if self._in_head else self._data(data, at)
            if after is None:
                return
            at = after
            self._in_head = not self._in_head

    def contents(self) -> list[list[bytes]]:
        """What the fields of this name hold, in order, each as the pieces it came in.

        Raises `BadForm` where the form's end is missing.
        """
        if not self._ended:
            missing = "is cut off" if self._parts or self._in_head else "holds no boundary"
            raise BadForm(f"The multipart form {missing}: send it again.")
        return self._found

    def content(self) -> list[bytes]:
        """What the field holds, which must be there once."""
        found = self.contents()
        if len(found) != 1:
            name, times = self._name.decode(), "is missing" if not found else f"comes {len(found)} times"
            raise WrongField(f"The field `{name}` {times}: send one picture as the multipart field `{name}`.")
        return found[0]

    def _data(self, data: bytes, at: int) -> int | None:
        """Keep a part's data up to the next boundary; where the part's head begins, if it is here."""
        end = data.find(self._separator, at)
        kept = end if end >= 0 else max(at, len(data) - len(self._separator) + 1)
        if self._part is not None:
            self._part.append(data[at:kept])
        if end >= 0:
            return end + len(self._separator)
        self._rest = data[kept:]
        return None

    def _head(self, data: bytes, at: int) -> int | None:
        """Look at a part's head; where its data begins, if the whole head is here."""
        if data.startswith(b"--", at):
            self._ended = True
            return None
        end = data.find(b"\r\n\r\n", at, at + _MAX_HEAD)
        if end < 0 and len(data) - at >= _MAX_HEAD:
            raise BadForm(_DAMAGED)
        if end < 0 or len(data) < end + 2 + len(self._separator):  # more than that follows in any case
            self._rest = data[at:]
            return None
        if data.startswith(self._separator, end + 2):
            raise BadForm(_DAMAGED)  # no empty line ends the head, a boundary does
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge(f"The form has more than {MAX_PARTS} parts: send fewer.")
        self._part = None
        if self._name_of(data[at:end]) == self._name:
            self._part = []
            self._found.append(self._part)
        return end + 4

    def _name_of(self, head: bytes) -> bytes:
        """The name of the part with this head: what is behind its boundary, up to the empty line."""
        rest_of_line, *lines = head.split(b"\r\n")
        if rest_of_line.strip(b" \t") or self._separator in head:
            raise BadForm(_DAMAGED)
        for line in lines:
            key, _, value = line.partition(b":")
            if key.strip().lower() == b"content-disposition":
                return _options(value).get(b"name", b"")
        raise BadForm("A part of the multipart form has no name: send it again.")


def _separator(content_type: bytes, name: bytes) -> bytes:
    """What stands between two parts, as the content type says."""
    if content_type.split(b";", 1)[0].strip().lower() != b"multipart/form-data":
        raise WrongField(f"The body is no multipart form: send the multipart field `{name.decode()}`.")
    boundary = _options(content_type).get(b"boundary")
    if not boundary or len(boundary) > MAX_BOUNDARY:
        raise BadForm("The content type names no boundary: let your HTTP library write it.")
    return b"\r\n--" + boundary


def _options(value: bytes) -> dict[bytes, bytes]:
    """The options of a header value: `form-data; name="image"` has one, `name`."""
    return {key.lower(): quoted or token for key, quoted, token in _OPTION.findall(value)}
