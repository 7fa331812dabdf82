"""Raised digits: small and high beside a normal one, as the 2 of "3 squared", and no part of it.

To the network they are dirt beside the larger digit, and their height speaks for a part of a digit. Where
both are plainly read by themselves, and stand apart, they are two: no part of a broken digit was read so
surely.
"""

# Why it is so: docs/decisions/lines.md
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.layout.atoms import Run
from digits.layout.candidates import Candidate
from digits.network.model import Classification

# All in heights of the tallest mark beside it.
_LEAST, _MOST = 0.3, 0.75  # how high a raised digit is
_RAISED = 0.3  # how far its foot is above that of the tallest, at least
_APART = 0.05  # the gap at its sides, at least
_SIGN = 0.45  # how high a ring or a stroke is, at least: lower ones are degrees and apostrophes
_LIKE_SIGNS = (0, 1)
_PLAIN = -0.05  # log of how likely a mark is the digit that it is read as, at least


def raised_digits(run: Run, candidates: Sequence[Candidate], answer: Classification) -> set[int]:
    """The atoms of a run, by their places, that are raised digits; `answer` is to the candidates."""
    if len(run.atoms) == 1 or run.single:
        return set()
    read = dict[int, int]()
    for candidate, p, rejection in zip(candidates, answer.probabilities, answer.rejection, strict=True):
        if candidate.after - candidate.first == 1 and as_digit(float(p.max()), float(rejection)) >= _PLAIN:
            read[candidate.first] = int(p.argmax())
    tallest = max(run.atoms, key=lambda atom: atom.height)

    def is_raised(place: int) -> bool:
        atom, beside = run.atoms[place], {place - 1, place + 1} & set(range(len(run.atoms)))
        least = _SIGN if read.get(place) in _LIKE_SIGNS else _LEAST
        return (
            {place, *beside} <= read.keys()
            and least * tallest.height <= atom.height <= _MOST * tallest.height
            and tallest.box[3] - atom.box[3] >= _RAISED * tallest.height
        )

    gaps = [right.box[0] - left.box[2] for left, right in pairwise(run.atoms)]
    clear = [True, *(gap >= _APART * tallest.height for gap in gaps), True]
    return {
        place for place in range(len(run.atoms)) if clear[place] and clear[place + 1] and is_raised(place)
    }


def as_digit(probability: float, rejection: float) -> float:
    """Log of how likely a mark is the digit that it is read as, at most 0; `rejection` in log odds."""
    return float(np.log(max(probability, 1e-9)) - np.logaddexp(0, rejection))
