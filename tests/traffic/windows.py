"""Windows and references for tests."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits import Look, Prediction
from pipeline.mnist.dataset import Digits
from pipeline.monitoring.significance import critical_values
from traffic.counts import Counts
from traffic.drift import LEVEL
from traffic.slots import Reference

SMALL = Path(__file__).resolve().parents[1] / "data" / "mnist-small"
SEVEN = Prediction(7, 0.98, (0.1,) * 10, None, "1")


def reference_of(model: str, looks: Sequence[tuple[Look, int]]) -> Reference:
    """A reference with this many pictures of each look, all of a seven."""
    counts = Counts()
    for look, times in looks:
        for _ in range(times):
            counts.add_prediction(SEVEN, look, 160_000)
    return Reference(model, counts.histograms, LEVEL, critical_values(LEVEL))


def real_digits() -> Digits:
    """A thousand digits of MNIST."""
    pixels, labels = (
        np.frombuffer(
            gzip.decompress((SMALL / f"train-{name}-ubyte.gz").read_bytes()), np.uint8, offset=offset
        )
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8))
    )
    return Digits(pixels.reshape(-1, 28, 28), labels)
