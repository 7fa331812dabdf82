"""A real Ray cluster of two nodes on one machine: `ray start` for each, in a folder of their own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.ports import free_port

HOST = "127.0.0.1"
START = 120.0  # seconds that a node has
STARTED = "--block"  # what Ray prints last
STORE = 90_000_000  # bytes of a node's object store: hardly more than the least that Ray takes


@dataclass
class Nodes:
    """The head and what joined it, each with one core; all of them are killed in the end."""

    port: int
    folder: Path  # short: Ray's sockets lie below it
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What this process has, and the cluster's own token: the user's is not touched."""
        return {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.folder / "token")}

    def start(self) -> int:
        """Start the head, or another node, and give its number; raises `RuntimeError` if it fails."""
        client = ["--ray-client-server-port", str(free_port())]  # else it is 10001, which another may have
        head = ["--head", "--port", str(self.port), "--include-dashboard", "false", *client]
        where = ["--address", self.address] if self.started else head
        number = len(self.started)
        log = self.folder / f"node-{number}.log"
        with log.open("wb") as file:
            node = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *where),
                    *("--node-ip-address", HOST, "--num-cpus", "1", "--object-store-memory", str(STORE)),
                    *("--disable-usage-stats", "--temp-dir", str(self.folder)),
                ],
                env=self.environment | {"PYTHONPATH": ""},  # its code is to come with the tasks
                cwd=self.folder,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(node)
        until = time.monotonic() + START
        while STARTED not in (told := log.read_text()):
            if time.monotonic() > until or node.poll() is not None:
                raise RuntimeError(f"node {number} did not start: {told}")
            time.sleep(0.1)
        return number

    def kill(self, number: int) -> None:
        """Kill a node and everything that it runs, as when its power fails."""
        family = [psutil.Process(self.started[number].pid)]
        family += family[0].children(recursive=True)
        for process in family:
            process.kill()
        self.started[number].wait()
        psutil.wait_procs(family, timeout=10)


@contextmanager
def two_nodes() -> Iterator[Nodes]:
    """Two nodes, each of one core."""
    nodes = Nodes(free_port(), Path(tempfile.mkdtemp(prefix="ray", dir="/tmp")))
    (nodes.folder / "token").write_text(secrets.token_hex(32))
    try:
        nodes.start()
        nodes.start()
        yield nodes
    finally:
        for number, node in enumerate(nodes.started):
            if node.poll() is None:
                nodes.kill(number)
        shutil.rmtree(nodes.folder, ignore_errors=True)
