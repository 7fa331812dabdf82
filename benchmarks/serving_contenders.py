"""The servers that `benchmarks/serving.py` compares, each in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENTO = [sys.executable, "-m", "bentoml", "serve", "--host", "127.0.0.1", "--port", "{port}"]
UVICORN = [sys.executable, "-m", "uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning"]
_BOUNDARY = "----digits"


@dataclass(frozen=True)
class Payload:
    """A request's body, which the load generator reads from `file`, and its content type."""

    content: bytes
    kind: str
    file: Path

    @classmethod
    def of(cls, content: bytes, kind: str) -> Payload:
        """Write the file and return the payload."""
        with tempfile.NamedTemporaryFile(prefix="payload-", delete=False) as file:
            file.write(content)
        return cls(content, kind, Path(file.name))


def as_form(picture: bytes) -> Payload:
    """The picture as the multipart field `image`."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="digit.png"\r\n\r\n'
    content = head.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Payload.of(content, f"multipart/form-data; boundary={_BOUNDARY}")


def as_base64(picture: bytes) -> Payload:
    """The picture as text in JSON."""
    return Payload.of(json.dumps({"image": base64.b64encode(picture).decode()}).encode(), "application/json")


def as_pixels(rows: list[list[float]]) -> Payload:
    """The input of `mlflow models serve`: not a picture, so the server neither decodes nor finds ink."""
    content = json.dumps({"inputs": [[[[pixel] for pixel in row] for row in rows]]})
    return Payload.of(content.encode(), "application/json")


@dataclass
class Contender:
    """One server: its command, in which `{port}` is replaced, and its requests."""

    name: str
    command: list[str]
    payload: Payload
    path: str = "/predict"
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self, port: int, log: Path) -> None:
        """Start the server as the leader of a process group."""
        self.port = port
        home = tempfile.mkdtemp(prefix="bentoml-")
        quiet = {"BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true"}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [part.format(port=port) for part in self.command],
                cwd=ROOT,
                env=os.environ | quiet | {"PYTHONPATH": str(ROOT), "PATH": path} | self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def ask(self) -> bytes | None:
        """The response to one request, or None if there is none (yet)."""
        request = urllib.request.Request(self.url, self.payload.content, {"Content-Type": self.payload.kind})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return bytes(answer.read())
        except OSError:
            return None

    def wait(self, seconds: float = 240) -> None:
        """Wait until the server answers; exits with a message if it never does."""
        end = time.monotonic() + seconds
        while self.ask() is None:
            if time.monotonic() > end or (self.process and self.process.poll() is not None):
                raise SystemExit(f"{self.name} does not answer. Start it by hand ({' '.join(self.command)}).")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the whole process group."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(12)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def service(payload: Payload, workers: int, model: Path, **environment: str) -> Contender:
    """Our own service, without a log of successful requests, as in the other servers."""
    variables = {"WORKERS": str(workers), "LOG_LEVEL": "warning", "MODEL_DIR": str(model)} | environment
    name = f"service, {workers} worker{'s' * (workers > 1)}"
    return Contender(name, [*BENTO, "service.service:DigitsService"], payload, environment=variables)
