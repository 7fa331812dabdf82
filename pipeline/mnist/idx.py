"""The IDX format of MNIST's files: a big-endian header, then one byte a value.

The header is 0, 0, 8 (unsigned bytes), the number of dimensions, and each dimension in four bytes.
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
    """The array of an uncompressed IDX file of so many dimensions; raises `DataError` with the reason."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): `dvc repro -f fetch` gets it anew."
        ) from error
    shape = _shape(path, content, dimensions)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if values.size != math.prod(shape):
        raise DataError(
            f"{path} holds {values.size} bytes of data where its header promises {math.prod(shape)}"
            f" ({_times(shape)}): it is cut off or damaged."
        )
    return values.reshape(shape)


def encode_idx(values: NDArray[np.uint8]) -> bytes:
    """The bytes of an IDX file that holds these values."""
    header = UNSIGNED_BYTES + struct.pack(f">B{values.ndim}I", values.ndim, *values.shape)
    return header + values.tobytes()


def _shape(path: Path, content: bytes, dimensions: int) -> tuple[int, ...]:
    wanted = UNSIGNED_BYTES + bytes([dimensions])
    if content[:4] != wanted:
        raise DataError(
            f"{path} begins with {content[:4].hex() or 'nothing'} where {wanted.hex()} should be:"
            f" it is no IDX file of bytes in {dimensions} dimensions."
        )
    if len(content) < 4 + 4 * dimensions:
        raise DataError(f"{path} ends within its header: it is cut off.")
    return struct.unpack_from(f">{dimensions}I", content, 4)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
