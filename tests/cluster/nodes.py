"""A real Ray cluster of two nodes on this machine, each with one core and an address of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.ports import free_port

SECOND = "127.0.0.2"  # the first node has the machine's own address, as Ray requires
START_SECONDS = 180
_MEMORY = str(100 * 2**20)  # bytes, of each node's object store
_COMMON = ["--block", "--num-cpus=1", f"--object-store-memory={_MEMORY}", "--disable-usage-stats"]
_PORTS = ["--min-worker-port=0", "--max-worker-port=0", "--include-log-monitor=false"]  # 0: any that is free


class Node:
    """One machine of a cluster: `ray start --block` and all that it starts."""

    def __init__(self, number: int, head: str, folder: Path, environment: dict[str, str]) -> None:
        port = head.rpartition(":")[2]
        first = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}"]
        where = [f"--address={head}", f"--node-ip-address={SECOND}"] if number else first
        with (folder / f"node-{number}.log").open("ab") as log:
            self._process = psutil.Popen(
                [Path(sys.executable).parent / "ray", "start", *where, *_COMMON, *_PORTS],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._log = folder / f"node-{number}.log"
        self._started: set[psutil.Process] = set()
        self._wait()

    def kill_raylet(self) -> None:
        """Simulate the loss of the machine: kill its raylet and all its workers."""
        self._remember()
        (raylet,) = [one for one in self._process.children() if one.name() == "raylet"]
        for one in [raylet, *raylet.children(recursive=True)]:
            _signal(one, signal.SIGKILL)

    def stop(self) -> None:
        """End everything that this node has started, with SIGTERM first."""
        self._remember()
        _signal(self._process, signal.SIGTERM)
        _, alive = psutil.wait_procs([self._process], timeout=10)
        for one in (*alive, *self._started):
            _signal(one, signal.SIGKILL)
        self._process.wait(10)

    def _remember(self) -> None:
        if self._process.is_running():
            self._started.update(self._process.children(recursive=True))

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "Ray runtime started" not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text()[-3000:]
                self.stop()
                raise RuntimeError(f"the node did not start:\n{said}")
            time.sleep(0.2)


class TwoNodes:
    """The head, and a second node that can be lost and come back; without `second` it joins later."""

    def __init__(self, variables: dict[str, str], *, second: bool = True) -> None:
        self._second = second
        self._folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # sockets have short paths
        outside = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")
        }
        # Ray's ports are open to the network, so a token is required.
        self.variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), **variables}
        self._environment = outside | self.variables
        self.address = f"127.0.0.1:{free_port()}"
        self._nodes: list[Node] = []

    def __enter__(self) -> Self:
        try:
            self._nodes.append(Node(0, self.address, self._folder, self._environment))
            if self._second:
                self.add()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def add(self) -> None:
        """Add the second node."""
        self._nodes.append(Node(1, self.address, self._folder, self._environment))

    def lose(self) -> None:
        """Lose the second node without warning."""
        self._nodes[-1].kill_raylet()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in reversed(self._nodes):
            node.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def has_second_address() -> bool:
    """Whether this machine lets a server listen at all of 127.0.0.0/8, as Linux does."""
    with socket.socket() as probe:
        try:
            probe.bind((SECOND, 0))
        except OSError:
            return False
    return True
