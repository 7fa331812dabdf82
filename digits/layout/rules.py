"""Finds the straight printed lines of tables, boxes and combs: thin, long, and joined to each other.

A stroke of a pen may be as long and as straight as a side of a box. What tells a rule from it is its
company: it meets at least two rules that run the other way (or the edges of the picture), and so do they.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

_USUAL = 0.3  # quantile of all runs of ink: rules are thinner than most strokes
_THICKEST = 2.5  # stroke widths: no rule is thicker
_SHORTEST = 6.0  # mean stroke widths: no rule is shorter
_GAP = 4.0  # mean stroke widths: gaps that dashed rules have
_BRIDGE = 1.3  # stroke widths: gaps in a solid rule, where others cross it
_DASH = 6.0  # stroke widths: the longest dash
_FILLED = 0.6  # of the box around it that a dash fills; most digits fill half as much
_CORNER = 2.2  # times the usual dash: where dashes of two rules meet
_STEPS = 3  # from dash to dash, at least
_STRAY = 0.3  # of the distance of dashes: how far it strays
_REGULAR = 0.5  # of the dashes that do not stray further
_DASHES = 12  # small pieces of ink, fewer make no dashed rule
_SOLID = 0.4  # of a solid rule's length that shows ink of its own, which nothing crosses
_UNBROKEN = 0.85  # of a solid rule's length that shows ink
_IN_PIECES = 0.6  # of a solid rule that others interrupt
_STRAIGHT = 0.6  # thicknesses of a rule: its ink strays no further from its course
_BENT = 0.02  # of a rule's length: how far a page may bend it
_COVERED = 0.45  # of a rule's length that shows ink: a dashed one shows little more than half
_MOST = 200  # candidates in each direction


Course = tuple[float, float, float]
"""A parabola: the factors of the square of a place, of the place, and of 1."""

Places = TypeVar("Places", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A printed line from `start` to `end` along its own direction, at `at(place)` across it, in pixels.

    For a lying rule places are x and `at` gives y, for a standing one the other way round. `covered` is the
    share of its length that shows ink.
    """

    start: float
    end: float
    course: Course
    thickness: float
    covered: float
    dashed: bool = False

    def at(self, place: Places) -> Places:
        """Where the rule lies across its direction."""
        square, slope, offset = self.course
        return (square * place + slope) * place + offset

    @property
    def length(self) -> float:
        return self.end - self.start

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    @property
    def slope(self) -> float:
        """How far it goes across for each pixel along it, from end to end."""
        return (self.at(self.end) - self.at(self.start)) / max(self.length, 1.0)

    def path(self, standing: bool, beyond: float = 0.0, shrink: int = 1) -> NDArray[np.int32]:
        """Points (n, 1, 2) along it, x and y, from `beyond` before its start to as far after its end."""
        places = np.linspace(self.start - beyond, self.end + beyond, 32)
        across = self.at(places)
        points = np.stack([across, places] if standing else [places, across], axis=1)
        return np.rint(points / shrink).astype(np.int32).reshape(-1, 1, 2)

    def straight_on(self, place: float) -> float:
        """Where the straight line through its ends lies across its direction."""
        return self.at(self.start) + self.slope * (place - self.start)


@dataclass(frozen=True)
class Scale:
    """The sizes in pixels that follow from the usual width of the strokes in a picture, in pixels."""

    stroke: float

    @classmethod
    def of(cls, mask: Mask) -> Scale:
        """The scale of a mask (height, width), from how far ink goes on in its rows and columns."""
        runs = [
            _runs(np.asarray(lines, np.uint8))
            for lines in (mask[:: _every(len(mask))], mask.T[:: _every(len(mask.T))])
        ]
        both = np.concatenate(runs)
        return cls(max(1.5, float(np.quantile(both, _USUAL))) if len(both) else 1.5)

    @cached_property
    def thickest(self) -> int:
        return round(_THICKEST * self.stroke) + 1

    @cached_property
    def shortest(self) -> int:
        return max(10, round(_SHORTEST * self.stroke))

    @cached_property
    def bridge(self) -> int:
        """Gaps that solid rules have where others cross them."""
        return round(_BRIDGE * self.stroke) + 3

    @cached_property
    def dash(self) -> int:
        return round(_DASH * self.stroke) + 5

    @cached_property
    def gap(self) -> int:
        return round(_GAP * self.stroke) + 3


def _every(lines: int) -> int:
    return max(1, lines // 200)


def _runs(lines: Mask) -> NDArray[np.intp]:
    """The lengths of all runs of ink in these lines."""
    padded = np.zeros((len(lines), lines.shape[1] + 2), np.int8)
    padded[:, 1:-1] = lines
    turns = np.diff(padded.ravel())
    return np.flatnonzero(turns < 0) - np.flatnonzero(turns > 0)


def find_rules(mask: Mask, dashes: Mask | None, scale: Scale) -> list[Rule]:
    """All thin straight pieces of ink that lie, left to right; of a mask turned over: that stand.

    `dashes` is the ink of which dashed rules may be made (`dashes_of`).
    """
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((scale.thickest + 1, 1), np.uint8))
    found = _lines(mask, np.asarray(cv2.subtract(mask, opened), np.uint8), scale, scale.bridge, dashed=False)
    if dashes is not None:
        found += _lines(dashes, dashes, scale, scale.gap, dashed=True)
    return _merged(found, scale)


def dashes_of(mask: Mask, scale: Scale) -> Mask | None:
    """The small pieces of ink of a mask, if there are enough for dashed rules."""
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    sides = stats[:, 2:4].max(axis=1)
    solid = (sides <= scale.dash) & (stats[:, 4] >= _FILLED * stats[:, 2] * stats[:, 3])
    solid[0] = False
    if np.count_nonzero(solid) < _DASHES:
        return None
    small = sides <= min(scale.dash, _CORNER * float(np.median(sides[solid])) + 3)
    small[0] = False
    return np.asarray(small.astype(np.uint8)[labels], np.uint8)


def _lines(mask: Mask, thin: Mask, scale: Scale, gap: int, dashed: bool) -> list[Rule]:
    thick = np.ones((max(3, round(scale.stroke) | 1), 1), np.uint8)
    # A line that leans shows in each row of pixels for a short way only: thickened, for a longer one.
    long = cv2.morphologyEx(cv2.dilate(thin, thick), cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    shortest = max(scale.shortest, 3 * gap) if dashed else scale.shortest
    long = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(long, 8, cv2.CV_32S, cv2.CCL_GRANA)
    order = [k for k in np.argsort(-stats[:, 2]) if k and stats[k, 2] >= shortest][:_MOST]
    found: list[Rule] = []
    for k in order:
        left, top, width, height = stats[k, :4].tolist()
        part = np.s_[top : top + height, left : left + width]
        found.extend(_fitted(mask, thin[part] * (labels[part] == k), left, top, scale, dashed))
    return found


def _fitted(mask: Mask, ink: Mask, left: int, top: int, scale: Scale, dashed: bool) -> Iterator[Rule]:
    """The line through this ink, if it lies along one."""
    counts = cv2.reduce(ink, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    columns = np.flatnonzero(counts)
    if len(columns) < 4:
        return
    weights = np.arange(len(ink), dtype=np.float64)
    centre = (weights @ ink)[columns] / counts[columns]
    bent = len(columns) > 3 * scale.shortest
    keep = np.ones(len(columns), bool)
    thickness = float(np.median(counts[columns]))
    limit = _STRAIGHT * thickness + 1
    for _ in range(3):
        course = _fit(columns[keep].astype(float), centre[keep], bent)
        off = np.abs((course[0] * columns + course[1]) * columns + course[2] - centre)
        keep = off <= max(limit, 1.5 * float(np.median(off)))
        if keep.sum() < 4:
            return
    on_it = columns[off <= limit]
    if (
        len(on_it) < (_COVERED if dashed else _SOLID) * len(ink[0])
        or np.ptp(on_it) < scale.shortest - scale.gap
    ):
        return
    length = float(np.ptp(on_it))
    if abs(course[0]) * length**2 / 4 > _BENT * length + 2:
        return
    square, slope, offset = course  # of a picture that begins at `left`, `top`
    moved = (square, slope - 2 * square * left, (square * left - slope) * left + offset + top)
    if dashed and not _is_even(on_it):
        return
    first, last = int(on_it.min()), int(on_it.max())
    covered = len(on_it) / (last - first + 1)
    if not dashed:
        places = np.arange(left + first, left + last + 1)
        across = (moved[0] * places + moved[1]) * places + moved[2]
        across = np.clip(np.rint(across).astype(int), 1, len(mask) - 2)
        covered = float((mask[across - 1, places] | mask[across, places] | mask[across + 1, places]).mean())
        if covered < _UNBROKEN:
            return
    yield Rule(left + first, left + last, moved, thickness, covered, dashed)


def _is_even(places: NDArray[np.intp]) -> bool:
    """Whether the runs among these places begin at even distances, as dashes do."""
    starts = places[np.flatnonzero(np.diff(places, prepend=places[0] - 2) > 1)]
    steps = np.diff(starts)
    if len(steps) < _STEPS:
        return False
    usual = float(np.median(steps))
    return bool((np.abs(steps - usual) <= _STRAY * usual + 1).mean() > _REGULAR)


def _merged(rules: list[Rule], scale: Scale) -> list[Rule]:
    """Pieces of one line put together."""
    whole: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: rule.start):
        before = next((k for k, other in enumerate(whole) if _goes_on(other, rule, scale)), None)
        if before is None:
            whole.append(rule)
        else:
            whole[before] = _joined(whole[before], rule)
    return whole


def _goes_on(first: Rule, second: Rule, scale: Scale) -> bool:
    """Whether the second rule is the same line as the first, further on."""
    if first.dashed != second.dashed:
        return False
    apart = second.start - first.end
    inked = first.length * first.covered + second.length * second.covered
    if inked < (_COVERED if first.dashed else _IN_PIECES) * (max(first.end, second.end) - first.start):
        return False
    near = 0.5 * (first.thickness + second.thickness) + 1
    if apart < -scale.gap:  # beside each other: two edges of one thick line
        middle = (second.start + min(first.end, second.end)) / 2
        return abs(first.at(middle) - second.at(middle)) < near
    short, long = (first, second) if first.length < second.length else (second, first)
    near += _BENT * abs(short.middle - long.middle)
    places = (short.start, short.middle, short.end)
    return all(abs(long.straight_on(place) - short.at(place)) < near for place in places)


def _joined(first: Rule, second: Rule) -> Rule:
    start, end = first.start, max(first.end, second.end)
    points = [np.linspace(rule.start, rule.end, max(3, int(rule.length / 4))) for rule in (first, second)]
    places = np.concatenate(points)
    across = np.concatenate([rule.at(place) for rule, place in zip((first, second), points, strict=True)])
    whole = first.length + second.length
    inked = first.length * first.covered + second.length * second.covered
    thickness = (first.length * first.thickness + second.length * second.thickness) / max(whole, 1)
    covered = min(1.0, inked / max(end - start, 1))
    return Rule(start, end, _fit(places, across, True), thickness, covered, first.dashed)


def _fit(places: NDArray[np.float64], across: NDArray[np.float64], bent: bool) -> Course:
    """The straight line, or the parabola, nearest to these points."""
    if bent:
        square, slope, offset = np.polyfit(places, across, 2).tolist()
        return square, slope, offset
    x, y = places - places.mean(), across - across.mean()
    slope = float(x @ y) / max(float(x @ x), 1e-9)
    return 0.0, slope, float(across.mean() - slope * places.mean())
