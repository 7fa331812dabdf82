"""MNIST's digits redrawn with smooth outlines and thin or thick strokes, then passed to `network_input`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.network.network_input import InkMap, network_input
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.canvas import enlarged, restroked
from pipeline.synthesis.defects import scanned

_SIZES = (60, 110)  # pixels on the longer side of the redrawn ink
_WIDTHS = (0.4, 1.8)  # relative stroke width
_SCANNED = 0.25  # share of the digits that look like coarse scans


def redrawn(digits: Digits, count: int, seed: int | Sequence[int]) -> Digits:
    """Redraw `count` randomly chosen digits (at most all of them), half of them with another stroke width."""
    rng = np.random.default_rng(seed)
    chosen = digits.take(rng.permutation(digits.total)[:count])
    images = chosen.images.copy()
    for image in images:
        ink = with_some_pen(image, rng)
        if rng.random() < _SCANNED:
            ink = scanned(ink, rng)
        seen = network_input(ink)
        if seen is not None:
            image[:] = seen.round()
    return Digits(images, chosen.labels)


def with_some_pen(image: NDArray[np.uint8], rng: np.random.Generator) -> InkMap:
    """Redraw a digit (28, 28) with smooth outlines, and in half the cases with another stroke width."""
    ink = enlarged(image, int(rng.integers(*_SIZES)))
    if rng.random() < 0.5:
        ink = restroked(ink, float(np.exp(rng.uniform(*np.log(_WIDTHS)))))
    return ink
