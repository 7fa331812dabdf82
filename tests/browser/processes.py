"""The service and the page as real processes, each in a process group by which it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


class Process:
    """A server of ours that can be stopped and started again on the same port."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        ready: str,
        log: Path,
        python: str = sys.executable,
        cwd: Path = ROOT,
    ) -> None:
        self._command = [python, "-m", *command]
        self._cwd = cwd
        self._environment = os.environ | environment
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self._command} did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End the whole process group, with SIGTERM first."""
        if self._process is None:
            return
        for wanted, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            try:
                os.killpg(self._process.pid, wanted)
                self._process.wait(seconds)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(self._ready, timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def service_process(port: int, model: Path, folder: Path, **settings: str) -> Process:
    """`bentoml serve` with a model folder; its log and its private files are in `folder`."""
    command = [
        "bentoml",
        "serve",
        "service.service:DigitsService",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {"MODEL_DIR": str(model), "BENTOML_HOME": str(folder / "bentoml"), "WORKERS": "1"}
    environment |= settings
    return Process(command, environment, f"http://127.0.0.1:{port}/readyz", folder / "service.log")


def page_process(
    port: int, service: str, folder: Path, python: str = sys.executable, **settings: str
) -> Process:
    """`python -m ui.page`, asking `service`."""
    environment = {"HOST": "127.0.0.1", "PAGE_PORT": str(port), "SERVICE_URL": service, "API_KEY": ""}
    environment |= settings
    return Process(["ui.page"], environment, f"http://127.0.0.1:{port}/", folder / "page.log", python)
