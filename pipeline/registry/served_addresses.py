"""MLflow's server over the project's own store, for clients on other machines: `--app-name digits`.

The store says where artifacts lie on this disk, since commands here open them without a server. A client
elsewhere would look for them on its own disk, and write there what it logs. So it is told the same places as
`mlflow-artifacts:` addresses, which lead through the server (`--artifacts-destination` is the same folder).
The page, which asks under other paths (`/ajax-api`), and files that are downloaded stay as they are. To a
container's server the addresses that the host wrote mean the same files (`mounted.py`).
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

CLIENTS = re.compile(r"/api/\d\.\d/mlflow/")  # MLflow's REST interface; files come by other paths
THROUGH_THE_SERVER = b'"mlflow-artifacts:/'
_ADDRESS = re.compile(rf'("{STORE})(?:/|(?="))'.encode())  # as JSON writes one, at the beginning of a string


class ServedAddresses:
    """Middleware that changes addresses of artifacts in what MLflow's REST interface answers."""

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
