"""The page's HTML: Gradio's document with our head, and a content security policy."""

# See docs/decisions/page-loading.md.
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

# Gradio's link preview, and its link to a manifest that it does not serve.
_NOT_OURS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*|<link rel="manifest"[^>]*>\s*')
_SCRIPT = re.compile(rb"<script(?: data-gradio-mode)?>(.*?)</script>", re.DOTALL)
_NO_SCRIPT = Template("<noscript><p>$no_script</p></noscript>")
_BODY = re.compile(rb"<body[^>]*>")

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy of all other responses, in case a browser shows one as a document."""

_PAGE = (
    "default-src 'none'; "
    "script-src 'self' 'unsafe-eval' {hashes}; "  # Gradio compiles component templates with Function()
    "style-src 'self' 'unsafe-inline'; "  # and sets styles on its elements
    "img-src 'self' data: blob:; "
    "connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'{embedding}"
)


class Documents:
    """ASGI middleware that rewrites the page's HTML and adds security headers to every response.

    The HTML is Gradio's answer to `GET /`; pages of the origins `embedding` may show it in a frame.
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
        """Fetch Gradio's HTML, uncompressed, and send it rewritten."""
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
        """Gradio's HTML with our head, our link preview, and a message for browsers without JavaScript."""
        preview = str(address.replace(query="", path=address.path + PREVIEW))
        sentences = {name: escape(sentence) for name, sentence in PAGE.items()}
        head = self._head.substitute(sentences, preview=escape(preview)).encode()
        ours = _NOT_OURS.sub(b"", theirs).replace(b"</head>", head + b"</head>", 1)
        no_script = _NO_SCRIPT.substitute(sentences).encode()
        return _BODY.sub(lambda match: match[0] + no_script, ours, count=1)


def _hashes(page: bytes) -> str:
    """CSP hashes of the document's own inline scripts, the only ones that may run."""
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
