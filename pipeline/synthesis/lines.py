"""Lines of MNIST's digits, as a person writes a number: beside each other, not quite level, with gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.network.network_input import InkMap
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.canvas import enlarged

_LENGTH = (3, 8)  # digits in a line
_HEIGHT = (60, 110)  # pixels of a digit's longer side
_SIZES = (0.85, 1.1)  # of that, a single digit's
_GAPS = (0.08, 0.35)  # of that, paper between two digits
_DRIFT = 0.05  # of that, standard deviation of the foot of a digit


def number_lines(digits: Digits, count: int, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """`count` lines of 3 to 8 of the digits, dark on white, each with what it says."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        chosen = digits.take(rng.integers(digits.total, size=int(rng.integers(*_LENGTH, endpoint=True))))
        height = rng.uniform(*_HEIGHT)
        sides = (height * rng.uniform(*_SIZES, chosen.total)).round().astype(int)
        inked = [enlarged(image, int(side)) for image, side in zip(chosen.images, sides, strict=True)]
        text = "".join(str(label) for label in chosen.labels)
        yield text, _as_image(_row(inked, height, rng))


def _row(inked: list[InkMap], height: float, rng: np.random.Generator) -> InkMap:
    """The inked from left to right on one foot, with a margin of half a digit around."""
    margin, tallest = round(height / 2), max(digit.shape[0] for digit in inked)
    gaps = (height * rng.uniform(*_GAPS, len(inked))).round().astype(int)
    drift = np.clip(rng.normal(0, _DRIFT * height, len(inked)), -margin, margin).round().astype(int)
    width = sum(digit.shape[1] for digit in inked) + int(gaps.sum()) + 2 * margin
    paper = np.zeros((tallest + 2 * margin, width), np.float32)
    left = margin
    for digit, gap, down in zip(inked, gaps, drift, strict=True):
        foot = margin + tallest + down
        paper[foot - digit.shape[0] : foot, left : left + digit.shape[1]] = digit
        left += digit.shape[1] + gap
    return paper


def _as_image(ink: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((255 * (1 - ink)).round().astype(np.uint8))
