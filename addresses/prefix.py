"""The path under which a proxy shows a server: `/digits` in https://example.org/digits/."""

from __future__ import annotations

import os

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def prefix(variable: str) -> str:
    """The prefix that this variable of the environment sets, without a final slash; "" for none.

    Raises `ValueError` where it is no path.
    """
    setting = os.environ.get(variable, "")
    path = setting.strip().rstrip("/")
    if path and (not path.startswith("/") or path.startswith("//") or set(path) & set("?#\\ \"'<>")):
        raise ValueError(f"{variable} is `{setting}`: set a path such as /digits, without host name.")
    return path


class UnderPrefix:
    """ASGI: tells the application its prefix, whether the proxy has taken it off the path or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._prefix and scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path == self._prefix and scope["type"] == "http":  # what it links to is relative
                await RedirectResponse(f"{self._prefix}/")(scope, receive, send)
                return
            if not path.startswith(f"{self._prefix}/"):
                path = self._prefix + path
            scope = {**scope, "root_path": self._prefix, "path": path}
        await self._app(scope, receive, send)
