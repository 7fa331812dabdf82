"""What the page offers to programs: `read`, an endpoint for Gradio's clients and a tool for MCP's."""

# No `from __future__ import annotations`: Gradio takes a return type as it stands, also where it is text.

# Why it is so: docs/decisions/page-programs.md
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

AT_ONCE = 8  # questions of Gradio's clients on their way to the service


class Reading(TypedDict):
    """What the service's `/read` answers: docs/reading.md says what each holds."""

    text: str
    numbers: list[dict[str, Any]]
    digits: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    model: str


class Refused(gradio.Error):
    """A sentence for whoever calls; MCP's clients get it from `str`, which Gradio puts in quotes."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, print_exception=False)

    def __str__(self) -> str:
        return str(self.message)


def mcp_installed() -> bool:
    """Whether the package is there with which Gradio speaks MCP: `make mcp` installs it."""
    return find_spec("mcp") is not None


def offer(ask: Ask, uploads: Uploads) -> None:
    """Add `read` to the page's Blocks, within which this is called."""

    async def read(picture: str) -> Reading:
        """Read the handwritten digits in a picture: a digit, numbers, lines of them, or a table.

        Args:
            picture: A data: URL (data:image/png;base64,...), or what /gradio_api/upload answered.

        Returns:
            `text` is what is read (`?`: no digit), `numbers`, `digits` and `tables` say where it stands.
        """
        given = str(picture)  # Gradio does not check it
        content = uploads.take(given) or _decoded(given)
        form = httpx.Request("POST", "http://service/read", files={"image": ("picture", content)})
        answer = await ask("/read", form.read(), form.headers["Content-Type"])
        if answer.status != 200:
            raise Refused(_sentence(answer.content))
        return cast(Reading, answer.content)

    # Without Gradio's queue where a client lets it be: MCP's, and `POST /gradio_api/run/read`.
    api(read, queue=False, concurrency_limit=AT_ONCE)


def _decoded(picture: str) -> bytes:
    """The bytes of a data: URL; raises `Refused` where it is none."""
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
