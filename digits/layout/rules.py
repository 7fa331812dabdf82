"""Finds the straight printed lines of tables, boxes and combs: thin, long, and joined to each other.

A stroke of a pen may be as long and as straight as a side of a box. What tells a rule from it is its
company: it meets at least two rules that run the other way (or the edges of the picture), and so do they.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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
_DASHES = 12  # small pieces of ink, fewer make no dashed rule
_SOLID = 0.4  # of a solid rule's length that shows ink of its own, which nothing crosses
_UNBROKEN = 0.85  # of a solid rule's length that shows ink
_IN_PIECES = 0.6  # of a solid rule that others interrupt
_STRAIGHT = 0.6  # thicknesses of a rule: its ink strays no further from its course
_BENT = 0.02  # of a rule's length: how far a page may bend it
_COVERED = 0.45  # of a rule's length that shows ink: a dashed one shows little more than half
_MOST = 400  # candidates in each direction


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A printed line from `start` to `end` along its own direction, at `course(place)` across it.

    For a lying rule places are x and the course gives y, for a standing one the other way round.
    `ends_open`: whether it ends at the picture's edge, at the start and at the end.
    """

    start: float
    end: float
    course: NDArray[np.float64]
    thickness: float
    covered: float
    dashed: bool = False

    def at(self, place: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the rule lies across its direction."""
        return np.asarray(np.polyval(self.course, place))

    @property
    def length(self) -> float:
        return self.end - self.start

    @property
    def slope(self) -> float:
        """How far it goes across for each pixel along it."""
        return float(self.at(self.end) - self.at(self.start)) / max(self.length, 1)


@dataclass(frozen=True)
class Scale:
    """The sizes in pixels that follow from the usual width of the strokes in a picture, in pixels."""

    stroke: float

    @classmethod
    def of(cls, mask: Mask) -> Scale:
        """The scale of a mask (height, width): the median of how far ink goes on in rows and columns of it."""
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
    found = _lines(mask, cv2.subtract(mask, opened), scale, scale.bridge, dashed=False)
    if dashes is not None:
        found += _lines(dashes, dashes, scale, scale.gap, dashed=True)
    return _merged(found, scale)


def dashes_of(mask: Mask, scale: Scale) -> Mask | None:
    """The small pieces of ink of a mask, if there are enough for dashed rules."""
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
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
    found = []
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
    degree = 2 if len(columns) > 3 * scale.shortest else 1
    keep = np.ones(len(columns), bool)
    thickness = float(np.median(counts[columns]))
    limit = _STRAIGHT * thickness + 1
    for _ in range(3):
        course = np.polyfit(columns[keep], centre[keep], degree)
        off = np.abs(np.polyval(course, columns) - centre)
        keep = off <= max(limit, 1.5 * float(np.median(off)))
        if keep.sum() < 4:
            return
    on_it = columns[off <= limit]
    if (
        len(on_it) < (_COVERED if dashed else _SOLID) * len(ink[0])
        or np.ptp(on_it) < scale.shortest - scale.gap
    ):
        return
    if degree == 2 and abs(course[0]) * np.ptp(on_it) ** 2 / 4 > _BENT * np.ptp(on_it) + 2:
        return
    moved = np.poly1d(course)(np.poly1d([1, -left])).coeffs
    moved = np.concatenate([np.zeros(3 - len(moved)), moved])
    moved[-1] += top
    first, last = int(on_it.min()), int(on_it.max())
    covered = len(on_it) / (last - first + 1)
    if not dashed:
        places = np.arange(left + first, left + last + 1)
        across = np.clip(np.rint(np.polyval(moved, places)).astype(int), 1, len(mask) - 2)
        covered = float((mask[across - 1, places] | mask[across, places] | mask[across + 1, places]).mean())
        if covered < _UNBROKEN:
            return
    yield Rule(left + first, left + last, moved, thickness, covered, dashed)


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
        return bool(abs(first.at(middle) - second.at(middle)) < near)
    short, long = sorted((first, second), key=lambda rule: rule.length)
    middle = (short.start + short.end) / 2
    off = max(abs(float(_line(long)(place) - short.at(place))) for place in (short.start, middle, short.end))
    return off < near + _BENT * (abs(middle - (long.start + long.end) / 2))


def _line(rule: Rule) -> np.poly1d:
    """The straight line through a rule's ends."""
    return np.poly1d([rule.slope, float(rule.at(rule.start)) - rule.slope * rule.start])


def _joined(first: Rule, second: Rule) -> Rule:
    start, end = first.start, max(first.end, second.end)
    points = [np.linspace(rule.start, rule.end, max(3, int(rule.length / 4))) for rule in (first, second)]
    places = np.concatenate(points)
    across = np.concatenate([rule.at(place) for rule, place in zip((first, second), points, strict=True)])
    lengths = np.array([first.length, second.length])
    inked = float(lengths @ [first.covered, second.covered])
    thickness = float(lengths @ [first.thickness, second.thickness]) / float(lengths.sum())
    covered = min(1.0, inked / max(end - start, 1))
    return Rule(start, end, np.polyfit(places, across, 2), thickness, covered, first.dashed)
