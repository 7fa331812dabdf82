"""The crossings of horizontal and vertical rules, and the frames that these rules form.

A pen stroke may be as long and as straight as a side of a box. A rule is recognised by its context: it begins
and ends at rules of the other direction, or at the picture's edge.
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
"""(n,): whether each of n rules is chosen."""

_ALIKE = 2.7  # times: greatest ratio of thickness between rules of one frame
_SHORT = 0.55  # below this share of the usual length in a frame, a rule is a pen stroke
EDGE = 0.01  # distance from the picture's edge at which a rule is cut off, relative to the picture's side
OVERSHOT = 0.15  # greatest length of a rule after its last crossing, relative to the distance of crossings
_FREE = 0.3  # the same for a rule with many crossings
_LITTLE = 0.6  # the same for one end of such a rule
MANY = 3  # least number of crossings that are many


class Lattice:
    """Horizontal and vertical rules, and the point (x, y) where each two of them would cross."""

    def __init__(
        self, horizontal: Sequence[Rule], vertical: Sequence[Rule], shape: tuple[int, ...], scale: Scale
    ) -> None:
        self.horizontal, self.vertical = horizontal, vertical
        self.x, self.y = crossings(horizontal, vertical)
        self._near = [tolerances(rules, scale) for rules in (horizontal, vertical)]
        self._cut = [
            cut_off(rules, side, EDGE) for rules, side in ((horizontal, shape[1]), (vertical, shape[0]))
        ]
        self.meets = lie_on(horizontal, self.x, self._near[0]) & lie_on(vertical, self.y.T, self._near[1]).T

    def core(
        self, rows: Chosen, columns: Chosen, edges: bool, paper: tuple[Chosen, Chosen] | None = None
    ) -> tuple[Chosen, Chosen]:
        """The rules that remain when rules with a loose end are removed from the chosen ones again and again.

        `edges` is true if a rule may end at the picture's edge. `paper` are horizontal and vertical rules of
        the paper itself, at which one end of a frame's rule may be, too.
        """
        none = np.zeros(len(rows), bool), np.zeros(len(columns), bool)
        paper_rows, paper_columns = none if paper is None else paper
        while True:
            meets = self.meets & rows[:, None] & columns[None]
            beside = self.meets & paper_rows[:, None] & columns[None]
            above = self.meets & rows[:, None] & paper_columns[None]
            more = (
                rows
                & _held(self.horizontal, self.x, meets, columns, above, self._cut[0] & edges, self._near[0]),
                columns
                & _held(
                    self.vertical, self.y.T, meets.T, rows, beside.T, self._cut[1] & edges, self._near[1]
                ),
            )
            more = self._alike(*more)
            if (more[0] == rows).all() and (more[1] == columns).all():
                return rows, columns
            rows, columns = more

    def frames(self, rows: Chosen, columns: Chosen) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The connected groups of chosen rules (frames): indices of horizontal and of vertical rules."""
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
        """The chosen rules without those that are much shorter, thinner or thicker than their frame's."""
        rows, columns = rows.copy(), columns.copy()
        for horizontal, vertical in self.frames(rows, columns):
            rules = [self.horizontal[k] for k in horizontal] + [self.vertical[k] for k in vertical]
            lengths = np.array([rule.length for rule in rules])
            thickness = np.array([rule.thickness for rule in rules])
            usual = weighted_median(thickness, lengths)
            fits = (thickness >= usual / _ALIKE - 1) & (thickness <= usual * _ALIKE + 1)
            for chosen, own, part in (
                (rows, horizontal, np.s_[: len(horizontal)]),
                (columns, vertical, np.s_[len(horizontal) :]),
            ):
                long = lengths[part]
                chosen[own] &= fits[part] & (long >= _SHORT * weighted_median(long, long))
        return rows, columns


def crossings(
    horizontal: Sequence[Rule], vertical: Sequence[Rule]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The x and y where each horizontal (rows) and each vertical rule (columns) would cross."""
    x = np.tile(np.array([rule.at(rule.middle) for rule in vertical], float), (len(horizontal), 1))
    y = np.zeros_like(x)
    rows, columns = (
        np.array([rule.course for rule in rules], float).reshape(-1, 3) for rules in (horizontal, vertical)
    )
    for _ in range(3):
        y = heights(rows[:, None], x)
        x = heights(columns[None], y)
    return x, y


def cut_off(rules: Sequence[Rule], side: int, share: float) -> NDArray[np.bool_]:
    """(n, 2): whether each rule's start and end are within this share of the side from the picture's edge.

    A dashed rule may end one step before the edge.
    """
    edges = [max(3.0, share * side, rule.step) for rule in rules]
    starts = [rule.start <= edge for rule, edge in zip(rules, edges, strict=True)]
    ends = [rule.end >= side - 1 - edge for rule, edge in zip(rules, edges, strict=True)]
    return np.stack([np.array(starts, bool), np.array(ends, bool)], axis=1)


def chosen_of(rules: Sequence[Rule], which: Chosen) -> list[Rule]:
    """The rules that are chosen."""
    return [rule for rule, ok in zip(rules, which, strict=True) if ok]


def tolerances(rules: Sequence[Rule], scale: Scale) -> NDArray[np.float64]:
    """(n, 1): how far from a crossing each rule may end, in pixels."""
    near = [
        max(float(scale.gap), rule.hidden) if rule.dashed else 0.5 * (scale.stroke + rule.thickness) + 2
        for rule in rules
    ]
    return np.array(near, float).reshape(-1, 1)


def lie_on(
    rules: Sequence[Rule], places: NDArray[np.float64], near: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which places (one row for each rule) are on the rules."""
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
    """Which rules end at a crossing or at the picture's edge, on both sides, or on one if they cross many.

    `others` are the chosen rules of the other direction. A rule that crosses two of them may end at a rule of
    the paper (`paper`) on one side.
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
        # A partly found rule ends before rules that it should cross. A rule may also be a little too long.
        short = places[k][others].min() < rule.start, places[k][others].max() > rule.end
        close = mine.min() - rule.start <= _LITTLE * gap, rule.end - mine.max() <= _LITTLE * gap
        ends = at_start or short[0] or close[0], at_end or short[1] or close[1]
        partly = many and (at_start or at_end) and all(ends)
        held[k] |= (at_start and at_end) or bool(partly)
    return held


def usual_gap(places: NDArray[np.float64]) -> float:
    """The median distance between neighbours."""
    ordered = sorted(places.tolist())  # for few places, several times faster than NumPy
    return median(second - first for first, second in pairwise(ordered)) if len(ordered) > 1 else 0.0
