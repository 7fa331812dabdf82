"""The pictures in a multipart form (RFC 7578).

Searches whole bodies at C speed: a parser that walks over characters can be kept busy for seconds by
20 MiB of line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.errors import BadForm, TooLarge, WrongField

MAX_PARTS = 100  # a batch of pictures and some fields

_OPTION = re.compile(rb';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_MAX_HEADERS = 8192  # bytes before the data of one part


def image_field(content_type: bytes, body: bytes) -> bytes:
    """What the field `image` holds, which must be there once."""
    images = fields(content_type, body, b"image")
    if len(images) != 1:
        found = "is missing" if not images else f"comes {len(images)} times"
        raise WrongField(f"The field `image` {found}: send one picture as the multipart field `image`.")
    return images[0]


def fields(content_type: bytes, body: bytes, name: bytes) -> list[bytes]:
    """What the fields of this name hold, in order; raises `BadForm`, `WrongField` or `TooLarge`."""
    if content_type.split(b";", 1)[0].strip().lower() != b"multipart/form-data":
        raise WrongField(f"The body is no multipart form: send the multipart field `{name.decode()}`.")
    boundary = _options(content_type).get(b"boundary")
    if not boundary:
        raise BadForm("The content type names no boundary: let your HTTP library write it.")
    found = []
    for begin, end in _parts(body, b"--" + boundary):
        part_name, data = _head(body, begin, end)
        if part_name == name:
            found.append(body[data:end])
    return found


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where each part stands between two boundaries, its first line end included."""
    separator = b"\r\n" + boundary
    at = 0 if body.startswith(boundary) else body.find(separator) + 2
    if at == 1:
        raise BadForm("The multipart form holds no boundary: send it again.")
    for _ in range(MAX_PARTS + 1):
        begin = at + len(boundary)
        if body.startswith(b"--", begin):
            return
        end = body.find(separator, begin)
        if end < 0:
            raise BadForm("The multipart form is cut off: send it again.")
        yield begin, end
        at = end + 2
    raise TooLarge(f"The form has more than {MAX_PARTS} parts: send fewer.")


def _head(body: bytes, begin: int, end: int) -> tuple[bytes, int]:
    """The name of a part, and where its data begins."""
    line_end = body.find(b"\r\n", begin, end)
    head_end = body.find(b"\r\n\r\n", begin, min(end, begin + _MAX_HEADERS))
    if head_end < 0 or body[begin:line_end].strip(b" \t"):
        raise BadForm("A part of the multipart form is damaged: send it again.")
    for line in body[line_end + 2 : head_end].split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            return _options(value).get(b"name", b""), head_end + 4
    raise BadForm("A part of the multipart form has no name: send it again.")


def _options(value: bytes) -> dict[bytes, bytes]:
    """The options of a header value: `form-data; name="image"` has one, `name`."""
    return {key.lower(): quoted or token for key, quoted, token in _OPTION.findall(value)}
