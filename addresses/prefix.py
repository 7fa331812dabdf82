"""The path prefix under which a proxy serves an application: `/digits` in https://example.org/digits/."""

from __future__ import annotations

import os

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def prefix(variable: str) -> str:
    """The prefix that this environment variable sets, without a final slash; "" if it sets none.

    Raises `ValueError` if the variable is not a path.
    """
    setting = os.environ.get(variable, "")
    path = setting.strip().rstrip("/")
    if path and (not path.startswith("/") or path.startswith("//") or set(path) & set("?#\\ \"'<>")):
        raise ValueError(
            f"{variable} must be a path such as /digits without a host name, but is `{setting}`."
        )
    return path


class UnderPrefix:
    """ASGI middleware that sets `root_path` to the prefix, whether or not the proxy strips the prefix."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._prefix and scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path == self._prefix and scope["type"] == "http":  # relative links need the final slash
                await RedirectResponse(f"{self._prefix}/")(scope, receive, send)
                return
            if not path.startswith(f"{self._prefix}/"):
                path = self._prefix + path
            scope = {**scope, "root_path": self._prefix, "path": path}
        await self._app(scope, receive, send)
