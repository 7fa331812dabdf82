"""Whose scripts may ask the page's server: the page's own, and those of the origins that embed it."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from addresses.origins import FOREIGN_ORIGIN, let_in
from ui.refusals import refused
from ui.text import SERVICE

_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(?::\d+)?|https?://\[[0-9a-f:.]+\](?::\d+)?")
_ONLY_LOOKS = ("GET", "HEAD", "OPTIONS")


def origin(setting: str) -> str:
    """One entry of EMBED_ORIGINS, without a final slash; raises `ValueError` where it is no origin."""
    found = setting.removesuffix("/").lower()
    if not _ORIGIN.fullmatch(found):
        raise ValueError(f"EMBED_ORIGINS has `{setting}`: set origins such as https://example.org.")
    return found


class Origins:
    """ASGI: refuses questions, and whatever else is sent, from pages of other origins than `embedding`."""

    def __init__(self, app: ASGIApp, embedding: Collection[str], questions: str = "/ask/") -> None:
        self._app = app
        self._embedding = embedding
        self._questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._matters(scope):
            headers = Headers(scope=scope)
            origin = headers.get("origin", "").lower()
            if not let_in(origin, headers.get("host", ""), self._embedding):
                sentence = SERVICE["foreign"].format(origin=origin[:100])
                await refused(403, FOREIGN_ORIGIN, sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _matters(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        asks = path.startswith(self._questions) and scope["method"] != "OPTIONS"
        return asks or scope["method"] not in _ONLY_LOOKS
