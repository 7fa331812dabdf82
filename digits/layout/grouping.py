"""Which neighbouring atoms make a digit together: the best division of each run, by the network.

Each way to join neighbours, as long as they are together no wider than a digit, is a candidate; the network
scores them all in one batch, and dynamic programming finds the division whose scores add up highest
(over-segmentation and recognition, as in Casey and Lecolinet's survey, 1996).
"""

# Why it is so: docs/decisions/lines.md
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom, Run
from digits.layout.candidates import Candidate, candidates_of, scored
from digits.layout.cuts import most_cuts, slices
from digits.layout.printed_words import printed
from digits.layout.raised_digits import as_digit, raised_digits
from digits.layout.signs import LEVEL, Sign
from digits.network.model import Classification, Model

_TOGETHER, _SLICES = 4, 12  # pieces, and slices of pieces, of one digit at most
_CUT = 6.0  # nats that a cut must gain for each unit of its cost
_UNREAD = 2.0  # nats that a mark costs that is no digit
_DROPPED = 2.0  # nats that leaving out a small piece as dirt costs
_CROWDED = 4.0  # nats that a second digit costs in a box for one
_DIRT, _DIRT_WIDE = 1.0, 4.0  # nats that dirt in such a box costs, and for each line height that it is wide
_PART = 0.45  # of the line's height: what is smaller both ways may be dirt
_LOW = 0.55  # of the line's height: what is lower is hardly a digit
_SURE = 0.8  # confidence at which a mark of usual width is not cut
_MOST_CUTS = 1000  # of all runs together: more is texture
_SINGLE = 0.9  # of its columns, where a level stroke is met once
_MAY_TOUCH, _DOUBLE = 0.5, 1.6  # of the line's height: least widths of two digits, and surely of several


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that was settled upon, with its row of the network's answer."""

    atom: Atom
    seen: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    rejection: float
    sign: Sign | None = None


def settle(model: Model, runs: list[Run]) -> list[list[Found]]:
    """What is found in each run, left to right; nothing in those of printed words."""
    first = [candidates_of(run, _TOGETHER) for run in runs]
    answers = scored(model, first)
    alone = [
        _unread(model, run, candidates, answer)
        for run, candidates, answer in zip(runs, first, answers, strict=True)
    ]
    of_print = printed(runs, alone)
    again = [
        k for k, run in enumerate(runs) if k not in of_print and _may_touch(model, run, first[k], answers[k])
    ]
    again = _affordable(again, runs)
    sliced = [
        replace(runs[k], atoms=tuple(part for atom in runs[k].atoms for part in _sliced(atom, runs[k])))
        for k in again
    ]
    second = [candidates_of(run, _SLICES) for run in sliced]
    for k, run, candidates, answer in zip(again, sliced, second, scored(model, second), strict=True):
        runs[k], first[k], answers[k] = run, candidates, answer
    return [
        [] if k in of_print else _best(run, candidates, answer)
        for k, (run, candidates, answer) in enumerate(zip(runs, first, answers, strict=True))
    ]


def _unread(model: Model, run: Run, candidates: list[Candidate], answer: Classification) -> list[bool]:
    """For each atom of a run whether it is, by itself, no digit or a doubtful one."""
    doubtful = [False] * len(run.atoms)
    for candidate, p, rejection in zip(candidates, answer.probabilities, answer.rejection, strict=True):
        if candidate.after - candidate.first == 1 and run.sign is None:
            doubtful[candidate.first] = _is_doubtful(model, p, float(rejection))
    return doubtful


def _is_doubtful(model: Model, probabilities: NDArray[np.float32], rejection: float) -> bool:
    return model.is_rejected(rejection) or float(probabilities.max()) < _SURE


def _may_touch(model: Model, run: Run, candidates: list[Candidate], answer: Classification) -> bool:
    """Whether an atom of the run is so wide, or so hard to read, that it may be several digits."""
    if run.sign is not None:
        return False
    for candidate, p, rejection in zip(candidates, answer.probabilities, answer.rejection, strict=True):
        if candidate.after - candidate.first > 1:
            continue
        width = candidate.atom.width / run.height if not _is_level(candidate.atom) else 0.0
        if width > _DOUBLE or (width > _MAY_TOUCH and _is_doubtful(model, p, float(rejection))):
            return True
    return False


def _affordable(again: list[int], runs: list[Run]) -> list[int]:
    """Those runs that are cut: in a texture, which may have thousands of cuts, only the first."""
    cuts = [
        sum(most_cuts(atom, runs[k].height) for atom in runs[k].atoms if _is_wide(atom, runs[k]))
        for k in again
    ]
    return [k for k, before in zip(again, np.cumsum(cuts), strict=True) if before <= _MOST_CUTS]


def _is_wide(atom: Atom, run: Run) -> bool:
    return atom.width > _MAY_TOUCH * run.height and not _is_level(atom)


def _is_level(atom: Atom) -> bool:
    """Whether the atom is a single stroke that goes from left to right, which no cut makes digits of."""
    if atom.width < LEVEL * atom.height:
        return False
    mask = np.pad(atom.pixels > 127, ((1, 0), (0, 0)))
    begins = (mask[1:] & ~mask[:-1]).sum(axis=0)
    return bool((begins <= 1).mean() > _SINGLE)


def _sliced(atom: Atom, run: Run) -> tuple[Atom, ...]:
    return slices(atom, run.height) if _is_wide(atom, run) else (atom,)


def _best(run: Run, candidates: list[Candidate], answer: Classification) -> list[Found]:
    """The division of a run with the highest sum of scores."""
    count = len(run.atoms)
    totals: list[float] = [0.0] + [-np.inf] * count
    divisions: list[list[int]] = [[] for _ in range(count + 1)]
    raised = raised_digits(run, candidates, answer)
    gains = [
        _gain(run, candidate, p, float(r), raised)
        for candidate, p, r in zip(candidates, answer.probabilities, answer.rejection, strict=True)
    ]
    for after in range(1, count + 1):
        atom = run.atoms[after - 1]
        size = max(atom.width, atom.height) / run.height
        if size < _PART and count > 1:
            totals[after] = totals[after - 1] - _DROPPED - 4 * size
            divisions[after] = divisions[after - 1]
        for k, candidate in enumerate(candidates):
            if candidate.after == after and totals[candidate.first] + gains[k] > totals[after]:
                totals[after] = totals[candidate.first] + gains[k]
                divisions[after] = [*divisions[candidate.first], k]
    chosen = divisions[count]
    if run.single and len(chosen) > 1:
        one, score = _as_one(run, candidates, gains)
        if score > totals[count] - _CROWDED * (len(chosen) - 1):
            chosen = [one]
    return [
        Found(
            candidates[k].atom,
            candidates[k].seen,
            answer.probabilities[k],
            float(answer.rejection[k]),
            run.sign,
        )
        for k in chosen
    ]


def _as_one(run: Run, candidates: list[Candidate], gains: list[float]) -> tuple[int, float]:
    """The candidate that is most likely the only digit of a run, the rest of its ink dirt; its score."""
    shorter = [min(atom.width, atom.height) / run.height for atom in run.atoms]
    dirt = np.concatenate([[0.0], np.cumsum([_DIRT + _DIRT_WIDE * side for side in shorter])])
    scores = [
        gain - dirt[-1] + dirt[candidate.after] - dirt[candidate.first]
        for candidate, gain in zip(candidates, gains, strict=True)
    ]
    best = int(np.argmax(scores))
    return best, scores[best]


def _gain(
    run: Run, candidate: Candidate, probabilities: NDArray[np.float32], rejection: float, raised: set[int]
) -> float:
    """Log of how likely the candidate is one digit, less what its cuts and its shape cost.

    `raised`: the atoms that are digits by themselves, however low.
    """
    digit = as_digit(float(probabilities.max()), rejection)
    if not raised.isdisjoint(range(candidate.first, candidate.after)):
        return digit if candidate.after - candidate.first == 1 else -np.inf
    unread = -_UNREAD - float(np.logaddexp(0, -rejection))
    atom = candidate.atom
    low = max(0.0, _LOW - atom.height / run.height)
    wide = min(max(0.0, atom.width / run.height - 1.1), 2.0)
    shape = 10 * low + 2 * wide
    return max(digit, unread) - shape - _CUT * atom.cut
