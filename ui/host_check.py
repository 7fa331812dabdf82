"""Host header check of the page, which also removes the forwarding headers that Gradio would trust."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from addresses.hosts import UNKNOWN_HOST, Hosts
from ui.refusals import refused

# Gradio trusts these headers from any client. uvicorn has put those of trusted proxies into the scope.
_FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")


class HostCheck:
    """ASGI middleware that refuses requests whose `Host` is not allowed, with status 421."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not self._hosts.let_in(host):
                await refused(421, UNKNOWN_HOST, self._hosts.refusal(host))(scope, receive, send)
                return
            kept = [(name, value) for name, value in scope["headers"] if name not in _FORWARDED]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, send)
