"""The service with the default model, and the files for its clients."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser.pictures import picture
from tests.browser.processes import service_process
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "mnist-small"
DIGIT = 7


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a running service."""
    port = free_port()
    with service_process(port, ROOT / "digits" / "default", tmp_path_factory.mktemp("service")):
        yield f"127.0.0.1:{port}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files for the guide's programs: a photo of a digit, and four fields of MNIST."""
    picture(DIGIT).save(tmp_path / "photo.jpg")
    content = gzip.decompress((SMALL / "t10k-images-idx3-ubyte.gz").read_bytes())
    np.save(tmp_path / "fields.npy", np.frombuffer(content, np.uint8, 4 * 28 * 28, 16).reshape(4, 28, 28))
    return tmp_path


@pytest.fixture(scope="session")
def labels() -> list[int]:
    """The labels of the four fields."""
    return list(gzip.decompress((SMALL / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:12])
