"""Origin check: only scripts of the page and of the origins that embed it may send requests."""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from addresses.origins import FOREIGN_ORIGIN, let_in
from ui.refusals import refused
from ui.text import SERVICE

_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(?::\d+)?|https?://\[[0-9a-f:.]+\](?::\d+)?")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def origin(setting: str) -> str:
    """One entry of EMBED_ORIGINS, without a final slash; raises `ValueError` if it is not an origin."""
    found = setting.removesuffix("/").lower()
    if not _ORIGIN.fullmatch(found):
        raise ValueError(
            f"`{setting}` in EMBED_ORIGINS is not an origin. Set origins such as https://example.org."
        )
    return found


class Origins:
    """ASGI middleware that refuses requests to `/ask/`, and all that send data, from other origins."""

    def __init__(self, app: ASGIApp, embedding: Collection[str], questions: str = "/ask/") -> None:
        self._app = app
        self._embedding = embedding
        self._questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_protected(scope):
            headers = Headers(scope=scope)
            origin = headers.get("origin", "").lower()
            if not let_in(origin, headers.get("host", ""), self._embedding):
                sentence = SERVICE["foreign"].format(origin=origin[:100])
                await refused(403, FOREIGN_ORIGIN, sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_protected(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        asks = path.startswith(self._questions) and scope["method"] != "OPTIONS"
        return asks or scope["method"] not in _SAFE_METHODS
