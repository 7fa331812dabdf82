"""Where lying and standing rules meet, and which of them hold each other in a frame.

A stroke of a pen may be as long and as straight as a side of a box. What tells a rule from it is its
company: a rule of a frame begins and ends at rules that run the other way, or at the picture's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.parallel import weighted_median
from digits.layout.rules.rule import Rule, heights
from digits.layout.rules.scale import Scale

Chosen = NDArray[np.bool_]
"""(n,): which of n rules are chosen."""

_ALIKE = 2.7  # times: rules of one frame differ no more in thickness
_SHORT = 0.55  # of the usual length in a frame: what is shorter is a stroke of a pen
EDGE = 0.01  # of the picture's side: a rule that ends so near to its edge is cut off by it
OVERSHOT = 0.15  # of the way between two crossings: a rule goes on no further after its last
_FREE = 0.3  # of the way between two crossings: a rule that meets many may end so far from its last
_LITTLE = 0.6  # of that way: such a rule may go on so far after its last, on one side
MANY = 3  # crossings


class Lattice:
    """Lying and standing rules, and the points (x, y) where each two meet, if both went on."""

    def __init__(
        self, lying: Sequence[Rule], standing: Sequence[Rule], shape: tuple[int, ...], scale: Scale
    ) -> None:
        self.lying, self.standing = lying, standing
        self.x, self.y = crossings(lying, standing)
        self._near = [tolerances(rules, scale) for rules in (lying, standing)]
        self._cut = [cut_off(rules, side, EDGE) for rules, side in ((lying, shape[1]), (standing, shape[0]))]
        self.meets = within(lying, self.x, self._near[0]) & within(standing, self.y.T, self._near[1]).T

    def core(
        self, rows: Chosen, columns: Chosen, edges: bool, paper: tuple[Chosen, Chosen] | None = None
    ) -> tuple[Chosen, Chosen]:
        """Of the chosen rules those that are left when all are taken away, again and again, that end freely.

        `edges`: whether a rule may end at the picture's edge. `paper`: lying and standing rules of the paper
        itself, at which a rule of a frame may end too, on one side.
        """
        none = np.zeros(len(rows), bool), np.zeros(len(columns), bool)
        paper_rows, paper_columns = none if paper is None else paper
        while True:
            meets = self.meets & rows[:, None] & columns[None]
            beside = self.meets & paper_rows[:, None] & columns[None]
            above = self.meets & rows[:, None] & paper_columns[None]
            more = (
                rows & _held(self.lying, self.x, meets, columns, above, self._cut[0] & edges, self._near[0]),
                columns
                & _held(
                    self.standing, self.y.T, meets.T, rows, beside.T, self._cut[1] & edges, self._near[1]
                ),
            )
            more = self._alike(*more)
            if (more[0] == rows).all() and (more[1] == columns).all():
                return rows, columns
            rows, columns = more

    def frames(self, rows: Chosen, columns: Chosen) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The chosen rules that hang together, frame by frame: the numbers of lying and of standing ones."""
        meets = self.meets & rows[:, None] & columns[None]
        found, left = [], meets.any(axis=1)
        while left.any():
            own = np.zeros(len(meets), bool)
            own[np.flatnonzero(left)[0]] = True
            while True:
                across = meets[own].any(axis=0)
                more = np.asarray(own | meets[:, across].any(axis=1))
                if (more == own).all():
                    break
                own = more
            found.append((np.flatnonzero(own), np.flatnonzero(across)))
            left &= ~own
        return found

    def _alike(self, rows: Chosen, columns: Chosen) -> tuple[Chosen, Chosen]:
        """Without what is far shorter, thinner or thicker than the other rules of its frame."""
        rows, columns = rows.copy(), columns.copy()
        for lying, standing in self.frames(rows, columns):
            rules = [self.lying[k] for k in lying] + [self.standing[k] for k in standing]
            lengths = np.array([rule.length for rule in rules])
            thickness = np.array([rule.thickness for rule in rules])
            usual = weighted_median(thickness, lengths)
            fits = (thickness >= usual / _ALIKE - 1) & (thickness <= usual * _ALIKE + 1)
            for chosen, own, part in (
                (rows, lying, np.s_[: len(lying)]),
                (columns, standing, np.s_[len(lying) :]),
            ):
                long = lengths[part]
                chosen[own] &= fits[part] & (long >= _SHORT * weighted_median(long, long))
        return rows, columns


def crossings(
    lying: Sequence[Rule], standing: Sequence[Rule]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each lying rule (rows) and each standing rule (columns) meet, if both went on: x and y."""
    x = np.tile(np.array([rule.at(rule.middle) for rule in standing], float), (len(lying), 1))
    y = np.zeros_like(x)
    rows, columns = (
        np.array([rule.course for rule in rules], float).reshape(-1, 3) for rules in (lying, standing)
    )
    for _ in range(3):
        y = heights(rows[:, None], x)
        x = heights(columns[None], y)
    return x, y


def cut_off(rules: Sequence[Rule], side: int, share: float) -> NDArray[np.bool_]:
    """(n, 2): whether each rule ends within this share of the picture's side, at its start and at its end.

    A dashed one may end a step before it.
    """
    edges = [max(3.0, share * side, rule.step) for rule in rules]
    starts = [rule.start <= edge for rule, edge in zip(rules, edges, strict=True)]
    ends = [rule.end >= side - 1 - edge for rule, edge in zip(rules, edges, strict=True)]
    return np.stack([np.array(starts, bool), np.array(ends, bool)], axis=1)


def chosen_of(rules: Sequence[Rule], which: Chosen) -> list[Rule]:
    """The rules that are chosen."""
    return [rule for rule, ok in zip(rules, which, strict=True) if ok]


def tolerances(rules: Sequence[Rule], scale: Scale) -> NDArray[np.float64]:
    """(n, 1): how far from a crossing a rule may end, in pixels."""
    near = [
        max(float(scale.gap), rule.hidden) if rule.dashed else 0.5 * (scale.stroke + rule.thickness) + 2
        for rule in rules
    ]
    return np.array(near, float).reshape(-1, 1)


def within(
    rules: Sequence[Rule], places: NDArray[np.float64], near: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which places (a row for each rule) lie on the rules."""
    start = np.array([rule.start for rule in rules], float).reshape(-1, 1)
    end = np.array([rule.end for rule in rules], float).reshape(-1, 1)
    return np.asarray((places >= start - near) & (places <= end + near))


def _held(
    rules: Sequence[Rule],
    places: NDArray[np.float64],
    meets: NDArray[np.bool_],
    others: Chosen,
    paper: NDArray[np.bool_],
    cut: NDArray[np.bool_],
    near: NDArray[np.float64],
) -> Chosen:
    """Which rules end at a crossing, or at the picture's edge: on both sides, or on one if they meet many.

    `others` are the chosen rules of the other direction.
    A rule that meets two others may end at a rule of the paper (`paper`) on one side.
    """
    held = np.zeros(len(rules), bool)
    for k, rule in enumerate(rules):
        mine = places[k][meets[k]]
        if not len(mine) or len(mine) + cut[k].sum() < 2:
            continue
        many = len(mine) >= MANY
        gap = usual_gap(mine)
        most = max(float(near[k, 0]), (_FREE if many else OVERSHOT) * gap)
        at_start = bool(cut[k, 0] or abs(mine.min() - rule.start) <= most)
        at_end = bool(cut[k, 1] or abs(mine.max() - rule.end) <= most)
        if (at_start or at_end) and len(mine) > 1 and paper[k].any():
            also = places[k][paper[k]]
            end = rule.end if at_start else rule.start
            held[k] = bool(np.abs(also - end).min() <= most)
        # One that was found in part ends before others that it should meet; one may go on a little too far.
        short = places[k][others].min() < rule.start, places[k][others].max() > rule.end
        close = mine.min() - rule.start <= _LITTLE * gap, rule.end - mine.max() <= _LITTLE * gap
        ends = at_start or short[0] or close[0], at_end or short[1] or close[1]
        partly = many and (at_start or at_end) and all(ends)
        held[k] |= (at_start and at_end) or bool(partly)
    return held


def usual_gap(places: NDArray[np.float64]) -> float:
    """The usual distance between neighbours."""
    ordered = sorted(places.tolist())  # of so few several times faster than with numpy
    return median(second - first for first, second in pairwise(ordered)) if len(ordered) > 1 else 0.0
