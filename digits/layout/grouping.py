"""Decides which neighbouring atoms form a digit: the best division of each run according to the network.

Every way to join neighbouring atoms that is no wider than a digit is a candidate. The network scores all
candidates in one batch, and dynamic programming finds the division with the highest sum of scores
(over-segmentation and recognition, see the survey by Casey and Lecolinet, 1996).
"""

# See docs/decisions/lines.md.
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

_TOGETHER, _SLICES = 4, 12  # greatest numbers of pieces, and of slices of pieces, in one digit
_CUT = 6.0  # nats that a cut must gain for each unit of its cost
_UNREAD = 2.0  # cost in nats of a mark that is not a digit
_DROPPED = 2.0  # cost in nats of leaving out a small piece as dirt
_CROWDED = 4.0  # cost in nats of a second digit in a box for one digit
# Costs in nats of a piece of dirt in such a box: fixed, and for each line height of its shorter side.
_DIRT, _DIRT_WIDE = 1.0, 4.0
_PART = 0.45  # a piece below this share of the line's height, in both directions, may be dirt
_LOW = 0.55  # below this share of the line's height, a mark is hardly a digit
_SURE = 0.8  # confidence from which a mark of usual width is not cut
_MOST_CUTS = 1000  # greatest number of cuts in all runs together: more are a texture
_SINGLE = 0.9  # share of the columns of a level stroke that contain only one stroke
# Widths relative to the line's height: above the first, a mark is cut if it is hard to read;
# above the second, in any case.
_MAY_TOUCH, _DOUBLE = 0.5, 1.6


@dataclass(frozen=True, slots=True)
class Found:
    """A chosen candidate, with the network's answer for it."""

    atom: Atom
    seen: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    rejection: float
    sign: Sign | None = None


def settle(model: Model, runs: list[Run]) -> list[list[Found]]:
    """The chosen candidates of each run, from the left. Runs of printed words have none."""
    found = [candidates_of(run, _TOGETHER) for run in runs]
    answers = scored(model, found)
    whole = list(zip(runs, found, answers, strict=True))
    of_print = printed(runs, [_unread(model, *one) for one in whole])
    touching = [k for k, one in enumerate(whole) if k not in of_print and _may_touch(model, *one)]
    cut = _affordable(touching, runs)
    sliced = [_sliced_run(runs[k]) for k in cut]
    of_slices = [candidates_of(run, _SLICES) for run in sliced]
    new = zip(sliced, of_slices, scored(model, of_slices), strict=True)
    final = whole.copy()
    for k, one in zip(cut, new, strict=True):
        final[k] = one
    return [[] if k in of_print else _best(*one) for k, one in enumerate(final)]


def _unread(model: Model, run: Run, candidates: list[Candidate], answer: Classification) -> list[bool]:
    """For each atom of a run, whether it is, by itself, rejected or read with low confidence."""
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
    """The runs that are cut: only the first ones in a texture, which may have thousands of cuts."""
    cuts = [
        sum(most_cuts(atom, runs[k].height) for atom in runs[k].atoms if _is_wide(atom, runs[k]))
        for k in again
    ]
    return [k for k, before in zip(again, np.cumsum(cuts), strict=True) if before <= _MOST_CUTS]


def _is_wide(atom: Atom, run: Run) -> bool:
    return atom.width > _MAY_TOUCH * run.height and not _is_level(atom)


def _is_level(atom: Atom) -> bool:
    """Whether the atom is a single stroke from left to right, which cannot be cut into digits."""
    if atom.width < LEVEL * atom.height:
        return False
    mask = np.pad(atom.pixels > 127, ((1, 0), (0, 0)))
    begins = (mask[1:] & ~mask[:-1]).sum(axis=0)
    return bool((begins <= 1).mean() > _SINGLE)


def _sliced_run(run: Run) -> Run:
    """The run with its wide atoms cut into slices."""
    atoms: list[Atom] = []
    for atom in run.atoms:
        atoms.extend(slices(atom, run.height) if _is_wide(atom, run) else [atom])
    return replace(run, atoms=tuple(atoms))


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
    """The candidate that is most likely the only digit of a run whose other ink is dirt, and its score."""
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
    """The log probability that a candidate is one digit, minus the costs of its cuts and its shape.

    `raised` are the atoms that are digits by themselves, even if they are low.
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
