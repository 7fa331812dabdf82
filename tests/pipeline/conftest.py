"""Fixtures for tests of the stages: sources for fetch, and projects with a store and a model."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnx
import pytest
from mlflow import MlflowClient

from digits.network.contract import FIELD
from digits.network.model import Manifest
from pipeline.mnist.dataset import Digits
from pipeline.registry import runs, versions
from tests.conftest import SMALL

EXAMPLE = np.zeros((1, FIELD, FIELD), np.uint8)  # a model's input example


def small_test_set(count: int) -> Digits:
    """The first test digits of the small real subset."""
    with gzip.open(SMALL / "t10k-images-idx3-ubyte.gz") as images:
        pixels = np.frombuffer(images.read(), np.uint8, count * FIELD * FIELD, offset=16)
    with gzip.open(SMALL / "t10k-labels-idx1-ubyte.gz") as labels:
        return Digits(
            pixels.reshape(-1, FIELD, FIELD), np.frombuffer(labels.read(), np.uint8, count, offset=8)
        )


def _handler(
    files: Mapping[str, bytes],
    headers: Mapping[str, str],
    cut: int | None,
    tell_length: bool,
    stall: tuple[int, threading.Event] | None,
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path.removeprefix("/mnist/"))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            if tell_length:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if stall is not None:
                self.wfile.write(content[: stall[0]])
                stall[1].wait(60)
            self.wfile.write(content[:cut])

        def log_message(self, *_: object) -> None:
            """Print nothing in tests."""

    return Handler


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect."""


@pytest.fixture
def mirror() -> Iterator[Callable[..., str]]:
    """Start a mirror of some files and get its address.

    `cut`: only this many bytes of each file are sent. `stall_after`: it stalls after this many bytes.
    """
    released = threading.Event()

    with ExitStack() as stack:

        def serve(
            files: Mapping[str, bytes],
            *,
            headers: Mapping[str, str] | None = None,
            cut: int | None = None,
            tell_length: bool = True,
            stall_after: int | None = None,
        ) -> str:
            stall = None if stall_after is None else (stall_after, released)
            handler = _handler(files, headers or {}, cut, tell_length, stall)
            server = stack.enter_context(_QuietServer(("127.0.0.1", 0), handler))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.callback(released.set)
            return f"http://127.0.0.1:{server.server_port}/mnist"

        yield serve


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a host that accepts the connection and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mnist"


@pytest.fixture
def refusing() -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/mnist"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables. Creating it takes seconds, so it is done once and copied."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(folder))
        patch.setenv("MLFLOW_TRACKING_URI", "")  # restored at the end, because connecting sets it
        runs.connect()
    return folder / "mlruns" / "mlflow.db"


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with its own store, as the current folder. Its path contains a space."""
    folder = tmp_path / "a project"
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy2(empty_store, folder / "mlruns" / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(folder))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def make_candidate(project: Path) -> Callable[..., Path]:
    """Write a model folder with a linear model that always prefers one digit."""

    def make(favourite: int = 0, run_id: str = "", validation_sha256: str = "") -> Path:
        folder = project / "models" / "candidate"
        folder.mkdir(parents=True, exist_ok=True)
        content = _linear(favourite).SerializeToString()
        (folder / "digits.onnx").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        manifest = Manifest("digits.onnx", sha256, "2026-01-01T00:00:00+00:00", run_id=run_id)
        manifest = replace(manifest, validation_sha256=validation_sha256)
        (folder / "manifest.json").write_text(json.dumps(manifest.as_dict()))
        return folder

    return make


@pytest.fixture
def registered(make_candidate: Callable[..., Path]) -> Callable[..., tuple[MlflowClient, str]]:
    """Register a version of the model that prefers one digit; returns a client and the version."""

    def register(favourite: int) -> tuple[MlflowClient, str]:
        with runs.training_run({"seed": favourite}) as run_id:
            folder = make_candidate(favourite, run_id=run_id)
        with runs.reopened_run(run_id, {}) as (client, _):
            version = versions.register(client, run_id, folder, {"validation_accuracy": 0.5}, EXAMPLE)
            reports = folder.parent / "reports"
            reports.mkdir(exist_ok=True)
            (reports / "metrics.json").write_text(json.dumps({"test_accuracy": 0.25, "recall": {"0": 1.0}}))
            runs.log_evaluation({}, reports)
        return client, version

    return register


def _linear(favourite: int) -> onnx.ModelProto:
    """Return logits that depend little on the ink and are highest for one digit."""
    helper = onnx.helper
    weights = np.zeros((FIELD * FIELD, 10), np.float32)
    bias = np.where(np.arange(10) == favourite, 5, 0).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["ink"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("ink", onnx.TensorProto.FLOAT, ["n", FIELD, FIELD, 1])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 10])],
        [onnx.numpy_helper.from_array(weights, "weights"), onnx.numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
