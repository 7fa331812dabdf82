"""A webhook that collects the alerts that Alertmanager sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.compose.stack import gateway


@dataclass
class Webhook:
    address: str
    alerts: list[dict[str, Any]] = field(default_factory=list)
    """The alerts of all messages, in order of arrival."""

    def was_told(self, alert: str, status: str) -> bool:
        """Whether a message gave `alert` the status `firing` or `resolved`."""
        return any((one["labels"]["alertname"], one["status"]) == (alert, status) for one in self.alerts)


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a server at this machine's address in Docker's own network, where containers can reach it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            collected.alerts += message["alerts"]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer((gateway(), 0), Handler) as server:
        collected = Webhook(f"http://{gateway()}:{server.server_port}/alerts")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collected
        finally:
            server.shutdown()
            thread.join()
