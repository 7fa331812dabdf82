"""Digits and other marks as they are extracted from papers and from scans.

Marks from papers are blurred, crossed by a printed line or cut from their neighbours. Scans are coarse.
"""

# See docs/decisions/hard-digits.md.
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from digits.network.contract import CLASSES, FIELD
from digits.network.network_input import InkMap, network_input
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.defects import blurred, coarse, crossed_by_rule, cut_from
from pipeline.synthesis.negatives import NOT_A_DIGIT, some_mark
from pipeline.synthesis.pen import draw, some_pen
from pipeline.synthesis.prototypes import prototype
from pipeline.synthesis.redrawn import with_some_pen

_KINDS = 5  # in turn: two of the split's own digits, two prototypes, and a mark that is not a digit
_BLURRED = 0.6  # share of the marks that are blurred
_MORE = 0.25  # share of the blurred marks that also have a rule or a neighbour; all unblurred marks have one
_CUT = 0.4  # share of those that are cut from a neighbour


def spoilt(digits: Digits, count: int, seed: int | Sequence[int]) -> Digits:
    """Draw `count` marks as from papers: the split's own digits, prototypes, and other marks."""
    return _changed(digits, count, seed, _spoilt)


def scans(digits: Digits, count: int, seed: int | Sequence[int]) -> Digits:
    """Draw `count` marks as from coarse scans: the split's own digits, prototypes, and other marks."""
    return _changed(digits, count, seed, coarse)


def _changed(
    digits: Digits,
    count: int,
    seed: int | Sequence[int],
    change: Callable[[InkMap, np.random.Generator], InkMap],
) -> Digits:
    rng = np.random.default_rng(seed)
    own = rng.permutation(digits.total)
    images, labels = np.zeros((count, FIELD, FIELD), np.uint8), np.zeros(count, np.uint8)
    for number in range(count):
        seen = None
        while seen is None:
            labels[number], ink = _drawing(digits, int(own[number % len(own)]), number % _KINDS, rng)
            seen = network_input(change(ink, rng))
        images[number] = seen.round()
    mixed = rng.permutation(count)
    return Digits(images[mixed], labels[mixed])


def _drawing(digits: Digits, own: int, kind: int, rng: np.random.Generator) -> tuple[int, InkMap]:
    """Return a label and its ink: one of the split's own digits, a prototype, or another mark."""
    if kind < 2:
        return int(digits.labels[own]), with_some_pen(digits.images[own], rng)
    if kind < 4:
        digit = int(rng.integers(CLASSES))
        return digit, _digit(digit, rng)
    return NOT_A_DIGIT, some_mark(rng)


def _spoilt(ink: InkMap, rng: np.random.Generator) -> InkMap:
    is_blurred = rng.random() < _BLURRED
    if not is_blurred or rng.random() < _MORE:
        if rng.random() < _CUT:
            ink = cut_from(_digit(int(rng.integers(CLASSES)), rng), ink, rng)
        else:
            ink = crossed_by_rule(ink, rng)
    return blurred(ink, rng) if is_blurred else ink


def _digit(digit: int, rng: np.random.Generator) -> InkMap:
    return draw(prototype(digit, rng), *some_pen(rng))
