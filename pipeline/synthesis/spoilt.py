"""Digits and other marks as they come out of photographed papers: blurred, or crossed by a printed line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.network.contract import CLASSES, FIELD
from digits.network.network_input import InkMap, network_input
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.defects import blurred, crossed_by_rule
from pipeline.synthesis.negatives import NOT_A_DIGIT, some_mark
from pipeline.synthesis.pen import draw, some_pen
from pipeline.synthesis.prototypes import prototype
from pipeline.synthesis.redrawn import with_some_pen

_KINDS = 5  # by turns: two of the split's own digits, two of other forms, a mark that is no digit
_BLURRED = 0.7  # of them are blurred,
_CROSSED = 0.45  # or crossed by a printed line; some are both


def spoilt(digits: Digits, count: int, seed: int | Sequence[int]) -> Digits:
    """`count` marks: the digits' own, chosen by the seed, those of other forms, and marks that are none."""
    rng = np.random.default_rng(seed)
    own = rng.permutation(digits.total)
    images, labels = np.zeros((count, FIELD, FIELD), np.uint8), np.zeros(count, np.uint8)
    for number in range(count):
        seen = None
        while seen is None:
            labels[number], ink = _drawing(digits, int(own[number % len(own)]), number % _KINDS, rng)
            seen = network_input(_spoilt(ink, rng))
        images[number] = seen.round()
    mixed = rng.permutation(count)
    return Digits(images[mixed], labels[mixed])


def _drawing(digits: Digits, own: int, kind: int, rng: np.random.Generator) -> tuple[int, InkMap]:
    """A label and its ink: of one of the split's own digits, of another form, or of no digit."""
    if kind < 2:
        return int(digits.labels[own]), with_some_pen(digits.images[own], rng)
    if kind < 4:
        digit = int(rng.integers(CLASSES))
        return digit, draw(prototype(digit, rng), *some_pen(rng))
    return NOT_A_DIGIT, some_mark(rng)


def _spoilt(ink: InkMap, rng: np.random.Generator) -> InkMap:
    is_blurred = rng.random() < _BLURRED
    if not is_blurred or rng.random() < _CROSSED / 2:
        ink = crossed_by_rule(ink, rng)
    return blurred(ink, rng) if is_blurred else ink
