"""The fields of a multipart form (RFC 7578), extracted while it arrives."""

from __future__ import annotations

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from service.errors import BadForm, TooLarge, WrongField

MAX_PARTS = 100  # a batch of pictures and some fields
MAX_CONTENT_TYPE = 1000  # bytes; the time to parse it grows with the square of its length
MAX_BOUNDARY = 70  # characters (RFC 2046, 5.1.1)

_DAMAGED = "The multipart form is malformed. Let your HTTP library write it."


class Form:
    """A form that arrives in chunks; collects the contents of the fields with the given names."""

    def __init__(self, content_type: bytes, *names: bytes) -> None:
        self._content_type = content_type
        self._parser: MultipartParser | None = None  # created with the first chunk
        self._found: dict[bytes, list[list[bytes]]] = {name: [] for name in names}
        self._part: list[bytes] | None = None  # pieces of the current part, None if its field is ignored
        self._parts = 0
        self._header = b""
        self._value = b""
        self._part_name: bytes | None = None
        self._ended = False

    def take(self, chunk: bytes) -> None:
        """Parse the next chunk, of any size; raises `WrongField`, `BadForm` or `TooLarge`."""
        if self._parser is None:
            self._parser = self._begin()
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise BadForm(_DAMAGED) from None

    def contents(self, name: bytes) -> list[list[bytes]]:
        """The contents of the fields with this name, in order, each as the pieces in which it arrived.

        Raises `BadForm` if the end of the form is missing.
        """
        if not self._ended:
            missing = "is cut off" if self._parts else "contains no boundary"
            raise BadForm(f"The multipart form {missing}. Send it again.")
        return self._found[name]

    def content(self, name: bytes, what: str) -> list[bytes]:
        """The content of a field that must occur once; `what` describes it in the message of `WrongField`."""
        found = self.contents(name)
        if len(found) != 1:
            field, times = name.decode(), "is missing" if not found else f"occurs {len(found)} times"
            raise WrongField(f"The field `{field}` {times}. Send {what} as the multipart field `{field}`.")
        return found[0]

    def _begin(self) -> MultipartParser:
        if len(self._content_type) > MAX_CONTENT_TYPE:
            raise BadForm("The content type is too long. Let your HTTP library write it.")
        kind, options = parse_options_header(self._content_type)
        if kind != b"multipart/form-data":
            fields = " and ".join(f"`{name.decode()}`" for name in self._found)
            some = "fields" if len(self._found) > 1 else "field"
            raise WrongField(f"The body is not a multipart form. Send the multipart {some} {fields}.")
        boundary = options.get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY:
            raise BadForm("The content type has no boundary. Let your HTTP library write it.")
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_arrives,
                "on_header_value": self._value_arrives,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data_arrives,
                "on_end": self._form_ends,
            },
        )

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge(f"The form has more than {MAX_PARTS} parts. Send fewer.")
        self._part = self._part_name = None

    def _header_arrives(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _value_arrives(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._part_name = parse_options_header(self._value)[1].get(b"name", b"")
        self._header = self._value = b""

    def _headers_end(self) -> None:
        if self._part_name is None:
            raise BadForm("A part of the multipart form has no name. Send it again.")
        if self._part_name in self._found:
            self._part = []
            self._found[self._part_name].append(self._part)

    def _data_arrives(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.append(data[start:end])

    def _form_ends(self) -> None:
        self._ended = True
