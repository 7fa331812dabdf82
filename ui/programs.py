"""The page's API for programs: `read`, an endpoint for Gradio's clients and a tool for MCP clients."""

# No `from __future__ import annotations`, because Gradio does not resolve return types that are strings.

# See docs/decisions/page-programs.md.
import base64
import binascii
from importlib.util import find_spec
from typing import Any, TypedDict, cast

import gradio
import httpx
from gradio.events import api

from ui.proxy import Ask
from ui.text import PROGRAMS
from ui.uploads import Uploads

AT_ONCE = 8  # concurrent requests of Gradio's clients to the service


class Reading(TypedDict):
    """The answer of the service's `/read`, which docs/reading.md describes."""

    text: str
    numbers: list[dict[str, Any]]
    digits: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    model: str


class Refused(gradio.Error):
    """An error for Gradio and MCP clients; Gradio's own `__str__`, which MCP uses, adds quotes."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, print_exception=False)

    def __str__(self) -> str:
        return str(self.message)


def mcp_installed() -> bool:
    """Whether the package `mcp`, which Gradio needs for MCP, is installed (by `make mcp`)."""
    return find_spec("mcp") is not None


def offer(ask: Ask, uploads: Uploads) -> None:
    """Add `read` to the page's Blocks; must be called within their context."""

    async def read(picture: str) -> Reading:
        """Read the handwritten digits in a picture: a digit, numbers, lines of them, or a table.

        Args:
            picture: A data: URL (data:image/png;base64,...), or the name returned by /gradio_api/upload.

        Returns:
            `text` is the recognised text (`?` for an unreadable mark). `numbers`, `digits` and `tables` have
            the positions.
        """
        given = str(picture)  # Gradio does not check it
        content = uploads.take(given) or _decoded(given)
        form = httpx.Request("POST", "http://service/read", files={"image": ("picture", content)})
        answer = await ask("/read", form.read(), form.headers["Content-Type"])
        if answer.status != 200:
            raise Refused(_sentence(answer.content))
        return cast(Reading, answer.content)

    # Not queued for MCP clients and `POST /gradio_api/run/read`; other clients always use Gradio's queue.
    api(read, queue=False, concurrency_limit=AT_ONCE)


def _decoded(picture: str) -> bytes:
    """The bytes of a data: URL; raises `Refused` if it is not one."""
    kind, _, encoded = picture.partition(",")
    if not (kind.startswith("data:") and kind.endswith(";base64")):
        raise Refused(PROGRAMS["no_picture"])
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise Refused(PROGRAMS["no_picture"]) from None


def _sentence(content: object) -> str:
    found = content.get("error") if isinstance(content, dict) else None
    return str(found or PROGRAMS["no_answer"])
