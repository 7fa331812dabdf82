"""Read and write IDX, the format of MNIST's files: a big-endian header, then one byte per value.

The header is 0, 0, 8 (unsigned bytes), the number of dimensions, and each dimension's size in four bytes.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.project.errors import DataError

UNSIGNED_BYTES = b"\x00\x00\x08"


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array in an uncompressed IDX file with `dimensions` dimensions; raises `DataError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). `dvc repro -f fetch` downloads it again."
        ) from error
    shape = _shape(path, content, dimensions)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if values.size != math.prod(shape):
        raise DataError(
            f"{path} is truncated or damaged: it has {values.size} bytes of data, but its header says"
            f" {math.prod(shape)} ({_times(shape)})."
        )
    return values.reshape(shape)


def encode_idx(values: NDArray[np.uint8]) -> bytes:
    """Return the bytes of an IDX file with these values."""
    header = UNSIGNED_BYTES + struct.pack(f">B{values.ndim}I", values.ndim, *values.shape)
    return header + values.tobytes()


def _shape(path: Path, content: bytes, dimensions: int) -> tuple[int, ...]:
    wanted = UNSIGNED_BYTES + bytes([dimensions])
    if content[:4] != wanted:
        raise DataError(
            f"{path} is not an IDX file of bytes in {dimensions} dimensions: it begins with"
            f" {content[:4].hex() or 'nothing'} instead of {wanted.hex()}."
        )
    if len(content) < 4 + 4 * dimensions:
        raise DataError(f"{path} is truncated: it ends within its header.")
    return struct.unpack_from(f">{dimensions}I", content, 4)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
