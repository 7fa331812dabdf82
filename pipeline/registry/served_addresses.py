"""The app of MLflow's server for the project's own store (`--app-name digits`), for remote clients.

The store has artifact addresses on this disk, because local commands open them without a server. A remote
client would use such an address on its own disk. This app therefore rewrites them for clients as
`mlflow-artifacts:` addresses, which go through the server (`--artifacts-destination` is the same folder).
Responses to MLflow's UI, which uses other paths (`/ajax-api`), and file downloads are not changed. In a
container, addresses that the host wrote mean the same files (`mounted.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlflow.server.fastapi_app import app

from pipeline.registry.mounted import STORE, is_ours

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CLIENTS = re.compile(r"/api/\d\.\d/mlflow/")  # MLflow's REST API; files have other paths
THROUGH_THE_SERVER = b'"mlflow-artifacts:/'
_ADDRESS = re.compile(rf'("{STORE})(?:/|(?="))'.encode())  # at the beginning of a JSON string


class ServedAddresses:
    """Middleware that rewrites artifact addresses in the responses of MLflow's REST API."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not CLIENTS.match(scope["path"]):
            await self._application(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def changed(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = _ADDRESS.sub(_through_the_server, body)
            kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*kept, (b"content-length", b"%d" % len(body))]})
            await send({"type": "http.response.body", "body": body})

        await self._application(scope, receive, changed)


def _through_the_server(found: re.Match[bytes]) -> bytes:
    return THROUGH_THE_SERVER if is_ours(json.loads(found[1] + b'"')) else found[0]


app.add_middleware(ServedAddresses)
