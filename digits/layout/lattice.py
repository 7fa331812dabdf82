"""Where lying and standing rules meet, and which of them hold each other in a frame.

A stroke of a pen may be as long and as straight as a side of a box. What tells a rule from it is its
company: a rule of a frame begins and ends at rules that run the other way, or at the picture's edge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules import Rule, Scale

Chosen = NDArray[np.bool_]
"""(n,): which of n rules are chosen."""

_ALIKE = 2.7  # times: rules of one frame differ no more in thickness
_SHORT = 0.55  # of the usual length in a frame: what is shorter is a stroke of a pen
_EDGE = 0.01  # of the picture's side: a rule that ends so near to its edge is cut off by it
_OVERSHOT = 0.15  # of the way between two crossings: a rule goes on no further after its last
_NEAR = 6  # pixels
_MOSTLY = 0.5  # of all rules of squared paper that go on beyond the last that they meet


class Lattice:
    """Lying and standing rules, and the points (x, y) where each two meet, if both went on."""

    def __init__(
        self, lying: Sequence[Rule], standing: Sequence[Rule], shape: tuple[int, ...], scale: Scale
    ) -> None:
        self.lying, self.standing = lying, standing
        self.x, self.y = crossings(lying, standing)
        self._near = [_tolerances(rules, scale) for rules in (lying, standing)]
        self._cut = [cut_off(rules, side, _EDGE) for rules, side in ((lying, shape[1]), (standing, shape[0]))]
        self.meets = _within(lying, self.x, self._near[0]) & _within(standing, self.y.T, self._near[1]).T

    def core(self, rows: Chosen, columns: Chosen, edges: bool) -> tuple[Chosen, Chosen]:
        """Of the chosen rules those that are left when all are taken away, again and again, that end freely.

        `edges`: whether a rule may end at the picture's edge.
        """
        while True:
            meets = self.meets & rows[:, None] & columns[None]
            more = (
                rows & _held(self.lying, self.x, meets, self._cut[0] & edges, self._near[0]),
                columns & _held(self.standing, self.y.T, meets.T, self._cut[1] & edges, self._near[1]),
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
    for _ in range(3):
        for i, rule in enumerate(lying):
            y[i] = rule.at(x[i])
        for j, rule in enumerate(standing):
            x[:, j] = rule.at(y[:, j])
    return x, y


def cut_off(rules: Sequence[Rule], side: int, share: float) -> NDArray[np.bool_]:
    """(n, 2): whether each rule ends within this share of the picture's side, at its start and at its end."""
    edge = max(3.0, share * side)
    ends = [(rule.start <= edge, rule.end >= side - 1 - edge) for rule in rules]
    return np.array(ends, bool).reshape(-1, 2)


def is_squared_paper(lying: Sequence[Rule], standing: Sequence[Rule], shape: tuple[int, ...]) -> bool:
    """Whether most of these rules go on beyond the last that they meet, as on squared paper.

    A rule of a table may do so too, on the side where the picture's edge cuts it off.
    """
    if not lying or not standing:
        return False
    x, y = crossings(lying, standing)
    near = _NEAR + 1.5 * max(rule.thickness for rule in (*lying, *standing))
    beyond = []
    for rules, places, side in ((lying, x, shape[1]), (standing, y.T, shape[0])):
        cut = cut_off(rules, side, _EDGE)
        for rule, place, ends in zip(rules, places, cut, strict=True):
            met = place[(place > rule.start - near) & (place < rule.end + near)]
            if len(met) > 1:
                most = _OVERSHOT * float(np.ptp(met)) / (len(met) - 1) + near
                free = ~ends | ends.all()
                over = np.array([met.min() - rule.start > most, rule.end - met.max() > most])
                beyond.append(bool((over & free).any()))
    return bool(sum(beyond) > _MOSTLY * len(beyond))


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value up to which half of the weight lies."""
    order = np.argsort(values)
    half = np.searchsorted(weights[order].cumsum(), weights.sum() / 2)
    return float(values[order][half])


def _tolerances(rules: Sequence[Rule], scale: Scale) -> NDArray[np.float64]:
    """(n, 1): how far from a crossing a rule may end, in pixels."""
    near = [float(scale.gap) if rule.dashed else 0.5 * (scale.stroke + rule.thickness) + 2 for rule in rules]
    return np.array(near, float).reshape(-1, 1)


def _within(
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
    cut: NDArray[np.bool_],
    near: NDArray[np.float64],
) -> Chosen:
    """Which rules end at a crossing, or at the picture's edge: on both sides, or on one if they meet many."""
    held = np.zeros(len(rules), bool)
    for k, rule in enumerate(rules):
        mine = places[k][meets[k]]
        if not len(mine) or len(mine) + cut[k].sum() < 2:
            continue
        most = max(float(near[k, 0]), _OVERSHOT * _usual_gap(mine))
        at_start = bool(cut[k, 0] or abs(mine.min() - rule.start) <= most)
        at_end = bool(cut[k, 1] or abs(mine.max() - rule.end) <= most)
        held[k] = (at_start and at_end) or (len(mine) > 2 and (at_start or at_end))
    return held


def _usual_gap(places: NDArray[np.float64]) -> float:
    """The usual distance between neighbours."""
    return float(np.median(np.diff(np.sort(places)))) if len(places) > 1 else 0.0
