"""Dashed and dotted lines: small pieces of ink at even distances on a straight line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, transposed
from digits.layout.rules.merging import merged
from digits.layout.rules.parallel import weighted_median
from digits.layout.rules.profile import followed
from digits.layout.rules.rule import Mask, Rule, Rules, fitted, heights
from digits.layout.rules.scale import Scale

_FILLED = 0.6  # least share of its box that a dash fills; most digits fill half as much
_THIN, _THICK = 0.4, 3.0  # stroke widths: thinner rows are dirt, thicker ones are small digits
_CORNER = 2.2  # greatest size where dashes of two rules meet, relative to the usual dash
_SPECK = 0.25  # below this share of the usual dash, a piece is dirt
_DASHES = 12  # least number of small pieces, without which there are no dashed rules
_MOST = 3000  # greatest number of pieces: if there are more, the smallest are dirt
_LEAN = 0.36  # greatest slope from a dash to the next, since rules in photos are tilted
_FURTHEST = 2.0  # greatest distance of the next dash, relative to the greatest gap of a dashed rule
_ASIDE = 2.0  # weight of the distance across the rule, relative to that along it
_CORNERED = 1.5  # above this multiple of the thickness of most dashes in a row, a dash has a corner
_ALIKE = 3.0  # greatest ratio of length between successive dashes
_ROW = 4  # least number of dashes
_OFF = 0.3  # tolerance of an even step, relative to the usual step
_EVEN = 0.6  # least share of even steps
_SHORTER = 1.5  # times: if a row across has steps this much shorter, a dash belongs to that row
_MOSTLY = 0.5  # share of a row's dashes that belong to other rows, above which it is not a rule
_ASTRAY = 0.75  # tolerance of the dashes' distance from their line, relative to their thickness
_SPARSE = 0.16  # least share of ink of a dashed rule: dots at a distance of six times their width
_BESIDE = 2.0  # steps: distance from a row of dashes within which stray pieces are counted
_DIRT = 0.5  # above this share of the number of dashes, these stray pieces are dirt
_BY_CHANCE = 8  # number of dashes below which a row may be in line by chance in much dirt
_DARKER = 1.3  # least darkness of dashes, relative to the darkest paper: lighter ones are noise
_STRAIGHT = 0.75  # least share of a row's dashes on one line


@dataclass(frozen=True)
class Dashes:
    """Small pieces of ink: their boxes along a line and across it, and their darkness; each (n,)."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]
    level: Grey

    @property
    def transposed(self) -> Dashes:
        """The same with rows and columns swapped."""
        return Dashes(self.top, self.bottom, self.start, self.end, self.level)


def dashes_of(mask: Mask, dark: Grey, scale: Scale) -> Dashes | None:
    """The small pieces of ink of a mask; None if there are too few for dashed rules."""
    _, _, stats, middles = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    stats = stats[1:]
    sides, areas = stats[:, 2:4].max(axis=1), stats[:, 4]
    solid = (sides <= scale.dash) & (areas >= _FILLED * stats[:, 2] * stats[:, 3])
    if np.count_nonzero(solid) < _DASHES:
        return None
    usual = weighted_median(sides[solid].astype(float), areas[solid].astype(float))
    small = np.flatnonzero((sides <= min(scale.dash, _CORNER * usual + 3)) & (sides >= _SPECK * usual))
    small = small[np.argsort(-areas[small], kind="stable")[:_MOST]]
    left, top, width, height = stats[small, :4].T.astype(float)
    x, y = middles[1:][small].T.astype(int)
    return Dashes(left, left + width - 1, top, top + height - 1, dark[y, x])


def dashed_rules(dashes: Dashes, dark: Grey, scale: Scale, least: int) -> Rules:
    """The dashed rules formed by small pieces of ink in a picture of darkness (height, width).

    `least` is the greatest darkness of paper.
    """
    both = [
        [(row, rule) for row in _rows(some, scale) if (rule := _through(some, row, scale)) is not None]
        for some in (dashes, dashes.transposed)
    ]
    steps = [_steps(len(dashes.start), rows) for rows in both]
    stray = np.isinf(steps[0]) & np.isinf(steps[1])
    found = []
    for some, rows, own, other, upright in zip(
        (dashes, dashes.transposed), both, steps, steps[::-1], (dark, transposed(dark)), strict=True
    ):
        pieces = merged(
            [
                rule
                for row, rule in rows
                if _is_own(row, own, other)
                and np.median(dashes.level[row]) > _DARKER * least
                and not _is_in_dirt(rule, some, stray)
            ],
            scale,
        )
        found.append(followed(pieces, upright))
    return Rules(*found)


def _steps(count: int, rows: Sequence[tuple[NDArray[np.intp], Rule]]) -> NDArray[np.float64]:
    """(n,): the step of the row that each dash belongs to; infinity for dashes in no row."""
    steps = np.full(count, np.inf)
    for row, rule in rows:
        steps[row] = rule.step
    return steps


def _is_own(row: NDArray[np.intp], own: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether most of these dashes do not belong to rows of the other direction with shorter steps."""
    return bool((other[row] * _SHORTER < own[row]).mean() < _MOSTLY)


def _rows(dashes: Dashes, scale: Scale) -> Iterator[NDArray[np.intp]]:
    """Rows of dashes from the left, in which each dash and the next are mutual nearest neighbours."""
    x = (dashes.start + dashes.end) / 2
    order = np.argsort(x, kind="stable")
    x, top, bottom = x[order], dashes.top[order], dashes.bottom[order]
    size = np.maximum(dashes.end - dashes.start, dashes.bottom - dashes.top)[order] + 1
    far = _FURTHEST * scale.gap + (dashes.end - dashes.start).max()
    after = np.searchsorted(x, x + far, "right") - np.arange(len(x)) - 1
    one = np.repeat(np.arange(len(x)), after)
    two = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(after) - after, after)
    along, above, below = x[two] - x[one], top[two] - top[one], bottom[two] - bottom[one]
    # Where rules cross, a dash has a corner, and only one of its sides is in line with the others.
    aside = np.minimum.reduce([np.abs(above), np.abs(below), np.abs(above + below) / 2])
    near = (aside <= _LEAN * along + 1) & (along > 0)
    near &= np.maximum(size[one], size[two]) <= _ALIKE * np.minimum(size[one], size[two])
    one, two, way = one[near], two[near], (along + _ASIDE * aside)[near]
    nearest = np.lexsort((way, one)), np.lexsort((way, two))
    following, before = np.full(len(x), -1), np.full(len(x), -1)
    # Assigned in descending order of distance, since the last assignment to an index wins.
    following[one[nearest[0][::-1]]] = two[nearest[0][::-1]]
    before[two[nearest[1][::-1]]] = one[nearest[1][::-1]]
    both = (following >= 0) & (before[following] == np.arange(len(x)))
    following[~both] = -1
    first = np.setdiff1d(np.flatnonzero(both), following)
    for dash in first.tolist():
        row = [dash]
        while (dash := int(following[dash])) >= 0:
            row.append(dash)
        if len(row) >= _ROW:
            yield order[row]


def _through(dashes: Dashes, row: NDArray[np.intp], scale: Scale) -> Rule | None:
    """The rule through these dashes, if it is straight and thin and the steps are even; else None."""
    start, end = dashes.start[row], dashes.end[row]
    x, y = (start + end) / 2, (dashes.top[row] + dashes.bottom[row]) / 2
    across = dashes.bottom[row] - dashes.top[row] + 1
    thickness = float(np.median(across))
    if (
        end[-1] - start[0] < scale.shortest
        or not _THIN * scale.stroke <= thickness <= _THICK * scale.stroke + 2
    ):
        return None
    plain = across <= _CORNERED * thickness + 1
    on = np.ones(len(row), bool)
    bent = bool(end[-1] - start[0] > 3 * scale.shortest)
    for _ in range(3):
        straight = on & plain
        course = fitted(x[straight], y[straight], bent)
        off = np.abs(heights(np.array(course), x) - y) - (across - thickness).clip(0) / 2
        on = off <= max(1.0, _ASTRAY * thickness)
        if np.count_nonzero(on & plain) < 2:
            return None
    if np.count_nonzero(on) < max(_ROW, _STRAIGHT * len(row)) or not _are_even(x[on]):
        return None
    own = np.flatnonzero(on)
    first, last = float(start[own[0]]), float(end[own[-1]])
    covered = min(1.0, float((end - start + 1)[on].sum()) / (last - first + 1))
    if covered < _SPARSE:
        return None
    return Rule(first, last, course, thickness, covered, True, float(np.median(np.diff(x[on]))))


def _is_in_dirt(rule: Rule, dashes: Dashes, stray: NDArray[np.bool_]) -> bool:
    """Whether a row is short and has many stray pieces next to it, since dirt may be in line by chance."""
    x, y = (dashes.start + dashes.end) / 2, (dashes.top + dashes.bottom) / 2
    along = (x >= rule.start) & (x <= rule.end)
    away = np.abs(rule.at(x) - y)
    beside = np.count_nonzero(along & stray & (away <= _BESIDE * rule.step))
    own = np.count_nonzero(along & (away <= max(1.0, rule.thickness)))
    return bool(own < _BY_CHANCE and beside > _DIRT * own)


def _are_even(places: NDArray[np.float64]) -> bool:
    """Whether most of the steps between these places are even."""
    steps = np.diff(places)
    usual = float(np.median(steps))
    return bool((np.abs(steps - usual) <= _OFF * usual + 1).mean() >= _EVEN)
