"""Synthetic digits in forms that are rare in MNIST, drawn with a pen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.network.contract import CLASSES, FIELD
from digits.network.network_input import network_input
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.defects import scanned, worn
from pipeline.synthesis.forms import DIGITS, strokes
from pipeline.synthesis.pen import Curve, Hand, draw, some_pen, write

_FORMS = {digit: [strokes(form) for _, form in forms] for digit, forms in DIGITS.items()}
_SHARES = {
    digit: np.array([weight for weight, _ in forms]) / sum(weight for weight, _ in forms)
    for digit, forms in DIGITS.items()
}
_HANDS = {1: Hand(jitter=(0.5, 3.5), slant=0.22), 0: Hand(aspect=0.24)}
_ROUND = (*range(CLASSES), 1, 1, 4, 7)  # digits whose forms differ most from MNIST's are more frequent
_BETWEEN = 0.4  # share of the digits that are interpolated between two forms
_WORN = 0.1  # share of the digits with gaps or specks
_SCANNED = 0.05  # share of the digits that look like coarse scans


def prototype(digit: int, rng: np.random.Generator) -> list[Curve]:
    """Write one of the digit's forms once, about 100 units high."""
    forms = _FORMS[digit]
    form, other = (forms[at] for at in rng.choice(len(forms), 2, p=_SHARES[digit]))
    return write(form, rng, _HANDS.get(digit, Hand()), other if rng.random() < _BETWEEN else None)


def prototypes(count: int, seed: int | Sequence[int]) -> Digits:
    """Draw `count` digits, more often 1, 4 and 7, and convert them with the reader's `network_input`."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.resize(_ROUND, count)).astype(np.uint8)
    images = np.zeros((count, FIELD, FIELD), np.uint8)
    for image, digit in zip(images, labels, strict=True):
        ink = draw(prototype(int(digit), rng), *some_pen(rng))
        if rng.random() < _WORN:
            ink = worn(ink, rng)
        if rng.random() < _SCANNED:
            ink = scanned(ink, rng)
        seen = network_input(ink)
        if seen is not None:
            image[:] = seen.round()
    return Digits(images, labels)
