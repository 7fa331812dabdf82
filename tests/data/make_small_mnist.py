"""Make tests/data/mnist-small from the whole MNIST: the same number of each digit, gzipped IDX files.

    python -m tests.data.make_small_mnist MNIST_FOLDER

MNIST_FOLDER holds the four files unpacked (data/raw after `dvc repro fetch`). Run it in the project's folder.
Prints the SHA-256 of each unpacked file, for params.yaml beside them.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

from pipeline.mnist.idx import encode_idx
from pipeline.preprocess import TEST_FILES, TRAIN_FILES, read_digits

TARGET = Path(__file__).resolve().parent / "mnist-small"
SEED = 7


def make(source: Path, files: tuple[str, str], per_class: int) -> None:
    """Choose `per_class` digits of each class, keep them in the file's order, and write both files."""
    digits = read_digits(*(source / name for name in files))
    generator = np.random.default_rng(SEED)
    chosen = [
        generator.choice(np.flatnonzero(digits.labels == digit), per_class, replace=False)
        for digit in range(10)
    ]
    for name, values in zip(files, digits.take(np.sort(np.concatenate(chosen))), strict=True):
        content = encode_idx(values)
        (TARGET / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        print(f"    {name}: {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    make(Path(sys.argv[1]), TRAIN_FILES, per_class=100)
    make(Path(sys.argv[1]), TEST_FILES, per_class=20)
