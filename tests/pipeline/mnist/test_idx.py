from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.mnist.idx import encode_idx, read_idx
from pipeline.project.errors import DataError

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images"


def test_read_idx_gives_what_was_encoded(path: Path) -> None:
    path.write_bytes(encode_idx(VALUES))
    assert np.array_equal(read_idx(path, 3), VALUES)


def test_encode_idx_writes_mnists_header() -> None:
    assert encode_idx(VALUES)[:16].hex() == "00000803" + "00000002" + "00000003" + "00000004"
    assert encode_idx(np.zeros(5, np.uint8))[:8].hex() == "00000801" + "00000005"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "begins with nothing instead of 00000803"),
        (b"<html>", "is not an IDX file"),
        (encode_idx(VALUES[0]), "begins with 00000802"),
        (b"\x00\x00\x0d\x03" + encode_idx(VALUES)[4:], "is not an IDX file"),
        (encode_idx(VALUES)[:10], "ends within its header"),
        (encode_idx(VALUES)[:-1], "has 23 bytes of data, but its header says 24"),
        (encode_idx(VALUES) + b"\x00", "has 25 bytes of data"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "its header says 79228162458924105385300197375"),
    ],
    ids=["empty", "html", "two dimensions", "floats", "header cut", "cut", "too long", "huge"],
)
def test_read_idx_names_file_and_reason(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_read_idx_says_how_to_get_a_missing_file(path: Path) -> None:
    with pytest.raises(DataError, match=r"No such file.*dvc repro -f fetch"):
        read_idx(path, 3)
