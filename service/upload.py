"""The body of a request, read within limits, and the picture in it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from service.errors import BadForm, TooLarge, TooSlow, WrongField

MAX_BODY = 20 * 2**20  # bytes of a whole request
READ_SECONDS = 20.0  # for a whole body to arrive
MAX_PARTS = 100  # of a form: a picture batch and some fields

_OPTION = re.compile(rb';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_MAX_HEADERS = 8192  # bytes before the data of one part


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form."""

    name: str
    data: bytes


async def read_body(scope: Scope, receive: Receive, limit: int = MAX_BODY) -> bytes:
    """The whole body; raises `TooLarge` or `TooSlow` as soon as that is known."""
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    try:
        async with asyncio.timeout(READ_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > limit:
                    raise _too_large(limit)
                more = message.get("more_body", False)
    except TimeoutError:
        raise TooSlow(f"The request did not arrive within {READ_SECONDS:.0f} s: send it again.") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def image_field(content_type: bytes, body: bytes) -> bytes:
    """What the multipart field `image` holds, which must be there once."""
    images = fields(content_type, body, "image")
    if len(images) != 1:
        found = "is missing" if not images else f"comes {len(images)} times"
        raise WrongField(f"The field `image` {found}: send one picture as the multipart field `image`.")
    return images[0]


def fields(content_type: bytes, body: bytes, name: str) -> list[bytes]:
    """What the multipart fields of this name hold, in order."""
    return [part.data for part in form(content_type, body) if part.name == name]


def form(content_type: bytes, body: bytes) -> list[Part]:
    """The parts of a multipart form (RFC 7578), in order; raises `BadForm`, `WrongField` or `TooLarge`.

    Searches whole bodies at C speed: a parser that walks over characters can be kept busy for seconds
    by 20 MiB of line ends.
    """
    if content_type.split(b";", 1)[0].strip().lower() != b"multipart/form-data":
        raise WrongField("The body is no multipart form: send one picture as the multipart field `image`.")
    boundary = _options(content_type).get(b"boundary")
    if not boundary:
        raise BadForm("The content type names no boundary: let your HTTP library write it.")
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    if len(sections) > MAX_PARTS + 1:
        raise TooLarge(f"The form has more than {MAX_PARTS} parts: send fewer.")
    if not sections[-1].startswith(b"--") or len(sections) == 1:
        raise BadForm("The multipart form is cut off or damaged: send it again.")
    return [_part(section) for section in sections[1:-1]]


def header(scope: Scope, name: bytes) -> bytes:
    """The value of a request header (its name in lower case), or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def _part(section: bytes) -> Part:
    """A part from what stands between two boundaries: line end, headers, empty line, data."""
    end = section.find(b"\r\n\r\n", 0, _MAX_HEADERS)
    if end < 0 or section[: section.find(b"\r\n")].strip(b" \t"):
        raise BadForm("A part of the multipart form is damaged: send it again.")
    for line in section[:end].split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            name = _options(value).get(b"name", b"")
            return Part(name.decode("utf-8", "replace"), section[end + 4 :])
    raise BadForm("A part of the multipart form has no name: send it again.")


def _options(value: bytes) -> dict[bytes, bytes]:
    """The options of a header value: `form-data; name="image"` has one, `name`."""
    return {key.lower(): quoted or token for key, quoted, token in _OPTION.findall(value)}


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request is larger than {limit // 2**20} MiB: send a smaller picture.")
