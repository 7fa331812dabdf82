"""Finds raised digits, such as the 2 of "3 squared", which are not parts of the normal digit next to them.

The network takes them for dirt next to the larger digit, and their height suggests a part of a digit. If both
digits are clearly read by themselves and there is a gap between them, they are two digits. The parts of
broken digits were never read so confidently.
"""

# See docs/decisions/lines.md.
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.layout.atoms import Run
from digits.layout.candidates import Candidate
from digits.network.model import Classification

# Heights and gaps are relative to the height of the tallest mark of the run.
_LEAST, _MOST = 0.3, 0.75  # height of a raised digit
_RAISED = 0.3  # least height of its foot above that of the tallest mark
_APART = 0.05  # least gap on its sides
_SIGN = 0.45  # least height of a ring or a stroke: lower ones are degree signs and apostrophes
_LIKE_SIGNS = (0, 1)  # the digits that may be a ring or a stroke
_PLAIN = -0.05  # least log probability of a mark to be the digit that it is read as


def raised_digits(run: Run, candidates: Sequence[Candidate], answer: Classification) -> set[int]:
    """The indices of a run's atoms that are raised digits; `answer` is the network's for the candidates."""
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
    """The log probability that a mark is the digit that it is read as, at most 0; `rejection` in log odds."""
    return float(np.log(max(probability, 1e-9)) - np.logaddexp(0, rejection))
