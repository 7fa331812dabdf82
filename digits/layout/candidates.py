"""Candidates: neighbouring atoms of a run joined to one digit, and the network's answers for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom, Run, joined
from digits.network.contract import CLASSES, FIELD
from digits.network.model import Classification, Model
from digits.network.network_input import field_of

_WIDEST = 1.5  # greatest width of a digit, relative to the line's height


@dataclass(frozen=True, slots=True)
class Candidate:
    """Atoms `first` to `after` (exclusive) of a run as one digit; `seen` is the network's input."""

    first: int
    after: int
    atom: Atom
    seen: NDArray[np.float32]


def candidates_of(run: Run, most: int) -> list[Candidate]:
    """Each atom of a run, and all ways to join at most `most` neighbours that are no wider than a digit."""
    found = []
    for first in range(len(run.atoms)):
        for after in range(first + 1, min(first + most, len(run.atoms)) + 1):
            atom = joined(run.atoms[first:after])
            if after > first + 1 and atom.width > _WIDEST * run.height:
                break
            seen = field_of(atom.pixels)
            if seen is not None:
                found.append(Candidate(first, after, atom, seen))
    return found


def scored(model: Model, groups: list[list[Candidate]]) -> list[Classification]:
    """The network's answers for groups of candidates, computed in one batch."""
    batch = [candidate.seen for group in groups for candidate in group]
    if not batch:
        return [Classification(np.zeros((0, CLASSES), np.float32), np.zeros(0, np.float32)) for _ in groups]
    answer = model.classify(np.array(batch, np.float32).reshape(-1, FIELD, FIELD, 1))
    ends = np.cumsum([len(group) for group in groups])[:-1]
    probabilities, rejection = np.split(answer.probabilities, ends), np.split(answer.rejection, ends)
    return [Classification(*row) for row in zip(probabilities, rejection, strict=True)]
