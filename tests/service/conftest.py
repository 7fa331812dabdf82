"""A model that is built here, pictures of digits, and the service in process and as a process."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont
from starlette.testclient import TestClient

from digits.ink.extraction import ink_map
from digits.network.network_input import network_input
from service.app import in_front
from service.runtime.champion import Champion
from service.runtime.worker import Worker
from tests.ports import free_port
from tests.service.encoding import black_block, encoded

ROOT = Path(__file__).resolve().parents[2]


def draw(text: str, size: tuple[int, int] = (280, 280), height: int = 180) -> Image.Image:
    """Black text in the middle of a white sheet."""
    image = Image.new("L", size, 255)
    middle = (size[0] / 2, size[1] / 2)
    ImageDraw.Draw(image).text(middle, text, 0, ImageFont.load_default(height), anchor="mm")
    return image


def nearest_digit(outputs: int = 10, side: int = 28) -> bytes:
    """An ONNX model that finds the nearest of ten printed digits (a linear classifier).

    An eleventh output, "not a digit", is for black blocks.
    """
    shapes = [*(draw(str(digit)) for digit in range(10)), black_block()][:outputs]
    fields = [network_input(ink_map(shape)) for shape in shapes]
    means = np.array([field.ravel() for field in fields if field is not None]) / 255
    weights = np.zeros((side * side, outputs), np.float32)
    weights[: means.shape[1], : len(means)] = means.T[: side * side] / 255
    bias = np.full(outputs, -1000, np.float32)
    bias[: len(means)] = -(means**2).sum(axis=1) / 2
    nodes = [
        helper.make_node("Reshape", ["image", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
    ]
    constants = {"flat": np.array([-1, side * side]), "weights": weights, "bias": bias}
    graph = helper.make_graph(
        nodes,
        "nearest",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", side, side, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def promote(folder: Path, version: str, content: bytes | None = None, **entries: Any) -> None:
    """Write a model into a folder as the pipeline does: the ONNX file, then the manifest by a rename."""
    folder.mkdir(parents=True, exist_ok=True)
    content = nearest_digit() if content is None else content
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / f"{sha256}.onnx").write_bytes(content)
    manifest = {"file": f"{sha256}.onnx", "sha256": sha256, "created": "2026-01-01", "version": version}
    temporary = folder / "manifest.json.new"
    temporary.write_text(json.dumps(manifest | entries))
    temporary.replace(folder / "manifest.json")


@pytest.fixture(scope="session", name="draw")
def _draw() -> Callable[..., Image.Image]:
    return draw


@pytest.fixture(scope="session", name="encoded")
def _encoded() -> Callable[..., bytes]:
    return encoded


@pytest.fixture(scope="session", name="nearest_digit")
def _nearest_digit() -> Callable[..., bytes]:
    return nearest_digit


@pytest.fixture(scope="session", name="promote")
def _promote() -> Callable[..., None]:
    return promote


@pytest.fixture(scope="session", name="serving")
def _serving() -> Callable[..., AbstractContextManager[Server]]:
    return serving


@pytest.fixture(scope="session")
def seven() -> bytes:
    """A PNG of a printed seven."""
    return encoded(draw("7"))


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A model folder of version 1 whose model reads printed digits."""
    promote(tmp_path / "champion", "1")
    return tmp_path / "champion"


@pytest.fixture
def make_client() -> Callable[..., TestClient]:
    """Build a client of the service in process, without BentoML."""

    def build(folder: Path, **options: Any) -> TestClient:
        champion = Champion(folder)
        champion.refresh()

        async def nowhere(_scope: Any, _receive: Any, _send: Any) -> None:
            raise AssertionError("nothing but the page's files is for BentoML")

        return TestClient(in_front(nowhere, Worker(champion), **options), raise_server_exceptions=False)

    return build


@pytest.fixture
def client(tiny_model: Path, make_client: Callable[..., TestClient]) -> TestClient:
    return make_client(tiny_model)


@dataclass
class Server:
    """A real `bentoml serve` process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, path: str, image: bytes, **options: Any) -> httpx.Response:
        return httpx.post(self.url + path, files={"image": image}, timeout=10, trust_env=False, **options)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False)  # ignore proxies for the internet


@contextmanager
def serving(
    folder: Path | None,
    home: Path,
    ready: str = "/readyz",
    bento: str = "service.service:DigitsService",
    cwd: Path = ROOT,
    **environment: str,
) -> Iterator[Server]:
    """The service as a process of its own on a free port, ended by its process id.

    It serves the model in `folder`, or the default if that is None.
    """
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", bento, "--port", str(port)]
    command += ["--timeout-graceful-shutdown", "8"]  # as `make serve` has it
    variables = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "HOST": "127.0.0.1"}
    if folder is not None:
        variables["MODEL_DIR"] = str(folder)
    home.mkdir(exist_ok=True)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | variables | environment, stdout=log, stderr=log
        )
    server = Server(f"http://127.0.0.1:{port}", process, home / "log")
    try:
        wait_until(lambda: server.get(ready).status_code == 200, server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with a tiny model of version 1, shared by all tests because its start takes seconds."""
    folder = tmp_path_factory.mktemp("served")
    promote(folder / "champion", "1")
    kept = str(folder / "feedback")
    with serving(folder / "champion", folder / "home", FEEDBACK_DIR=kept, FEEDBACK_MOST="20") as running:
        yield running


def wait_until(check: Callable[[], bool], server: Server, seconds: float = 60) -> None:
    """Wait until the check holds; fail with the server's log otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if check():
                return
        except httpx.TransportError:
            pass
        assert server.process.poll() is None, server.log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s:\n{server.log.read_text()}")
