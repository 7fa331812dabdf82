"""Lines of MNIST's digits, placed side by side as in a handwritten number: not quite level, with gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.network.network_input import InkMap
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.canvas import enlarged

_LENGTH = (3, 8)  # digits in a line
_HEIGHT = (60, 110)  # pixels on a digit's longer side, for a line
_SIZES = (0.85, 1.1)  # size of a single digit, relative to that
_GAPS = (0.08, 0.35)  # gap between two digits, relative to that
_DRIFT = 0.05  # standard deviation of a digit's baseline, relative to that


def number_lines(digits: Digits, count: int, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """Yield `count` pairs of a text and a picture: lines of 3 to 8 of the digits, dark on white."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        chosen = digits.take(rng.integers(digits.total, size=int(rng.integers(*_LENGTH, endpoint=True))))
        height = rng.uniform(*_HEIGHT)
        sides = (height * rng.uniform(*_SIZES, chosen.total)).round().astype(int)
        inked = [enlarged(image, int(side)) for image, side in zip(chosen.images, sides, strict=True)]
        text = "".join(str(label) for label in chosen.labels)
        yield text, _as_image(_row(inked, height, rng))


def _row(inked: list[InkMap], height: float, rng: np.random.Generator) -> InkMap:
    """Place the digits from left to right on one baseline, with a margin of half a digit all around."""
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
