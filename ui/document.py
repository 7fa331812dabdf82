"""The page's document: Gradio's, with our head, and with rules that keep foreign scripts out of it."""

# Why it is so: docs/decisions/page-loading.md
from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Collection
from html import escape
from pathlib import Path
from string import Template

from starlette.datastructures import URL, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.text import PAGE

PREVIEW = "canvas/preview.png"

# Gradio's link preview, and a manifest that it links to at the root of the host and then does not have.
_NOT_OURS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*|<link rel="manifest"[^>]*>\s*')
_SCRIPT = re.compile(rb"<script(?: data-gradio-mode)?>(.*?)</script>", re.DOTALL)
_NO_SCRIPT = Template("<noscript><p>$no_script</p></noscript>")
_BODY = re.compile(rb"<body[^>]*>")

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What every other answer may load, should a browser show it as a document."""

_PAGE = (
    "default-src 'none'; "
    "script-src 'self' 'unsafe-eval' {hashes}; "  # Gradio makes functions of a component's texts
    "style-src 'self' 'unsafe-inline'; "  # and sets styles on its elements
    "img-src 'self' data: blob:; "
    "connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'{embedding}"
)


class Documents:
    """ASGI: makes the page's document ours, and gives every answer the headers that keep it in its place.

    The document is Gradio's answer to `GET /`; pages of the origins `embedding` may show it in a frame.
    """

    def __init__(self, app: ASGIApp, head: Path, embedding: Collection[str]) -> None:
        self._app = app
        self._head = Template(head.read_text(encoding="utf-8"))
        self._embedding = "".join(f" {origin}" for origin in sorted(embedding))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] == f"{scope.get('root_path', '')}/":
            await self._answer_with_page(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, lambda headers: _guard(headers, _NOTHING)))

    async def _answer_with_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gradio would compress its answer, if it was asked to."""
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message = {}
        content = bytearray()

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                content.extend(message.get("body", b""))

        await self._app({**scope, "headers": plain}, receive, gather)
        headers = MutableHeaders(scope=start)
        page = bytes(content)
        if start["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
            page = self.page(page, URL(scope=scope))
            headers["Content-Length"] = str(len(page))
            headers["Cache-Control"] = "no-cache"
            _guard(headers, _PAGE.format(hashes=_hashes(page), embedding=self._embedding))
        else:
            _guard(headers, _NOTHING)
        await send(start)
        await send({"type": "http.response.body", "body": page})

    def page(self, theirs: bytes, address: URL) -> bytes:
        """Gradio's document with our head, our link preview, and a word for browsers without scripts."""
        preview = str(address.replace(query="", path=address.path + PREVIEW))
        sentences = {name: escape(sentence) for name, sentence in PAGE.items()}
        head = self._head.substitute(sentences, preview=escape(preview)).encode()
        ours = _NOT_OURS.sub(b"", theirs).replace(b"</head>", head + b"</head>", 1)
        no_script = _NO_SCRIPT.substitute(sentences).encode()
        return _BODY.sub(lambda match: match[0] + no_script, ours, count=1)


def _hashes(page: bytes) -> str:
    """The inline scripts that the document came with, which alone may run."""
    digests = [hashlib.sha256(script).digest() for script in _SCRIPT.findall(page)]
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)


def _guard(headers: MutableHeaders, policy: str) -> None:
    headers.setdefault("Content-Security-Policy", policy)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")


def _with_headers(send: Send, change: Callable[[MutableHeaders], None]) -> Send:
    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            change(MutableHeaders(scope=message))
        await send(message)

    return changed
