"""Finds printed lines of ruled and squared paper with the Hough transform, and removes them from the ink.

A printed line is straight or slightly bent, thin, and either reaches the edges of the picture or is parallel
to other lines. It may have any angle. Strokes of a digit that cross or cover it are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Sheet
from digits.network.network_input import InkLevels

Mask = NDArray[np.uint8]

_LEAST = 64  # pixels: a picture with a shorter side has no printed lines
_COARSE = 320  # pixels, the longer side of the copy in which lines are searched
_SHORTEST = 0.45  # least number of votes for a line, relative to the shorter side in pixels
_REACH = 7  # pixels on each side of a straight line, in which the printed line is followed
_COVERED = 0.7  # least share of a line's length through the picture that has ink
_AT_THE_EDGE = 0.1  # greatest distance of ink from both ends, relative to that length
_PARALLEL = np.deg2rad(4)
_TRACE = 60  # level, of 255, below which ink is the rest of a printed line's soft edge
_ON_LINES = 0.6  # share of a piece's area on printed lines, from which it is a part of them
_MOST = 60  # greatest number of lines that are followed


@dataclass(frozen=True, slots=True)
class Rule:
    """One printed line: points along it (n, 2) as x, y; thickness in pixels; angle of its normal (rad)."""

    points: NDArray[np.float64]
    thickness: float
    angle: float
    from_edge_to_edge: bool


def near_the_border(place: Sheet, least: int = _LEAST) -> bool:
    """Whether ink comes near the border on at least two sides, as a line through the picture does.

    It is false if the picture's shorter side has fewer than `least` pixels.
    """
    shorter = min(place.width, place.height)
    if shorter < least:
        return False
    mask, edge = place.part, max(2, shorter // 16)
    right, bottom = place.width - place.left, place.height - place.top
    sides = (
        mask[: max(0, edge - place.top)],
        mask[max(0, bottom - edge) :],
        mask[:, : max(0, edge - place.left)],
        mask[:, max(0, right - edge) :],
    )
    return sum(side.size > 0 and cv2.countNonZero(side) > 0 for side in sides) >= 2


def without_rules(ink: InkLevels, mask: Mask) -> InkLevels | None:
    """The ink (0..255) without printed lines; None if there are no printed lines."""
    found = [rule for line in _candidates(mask) if (rule := _followed(mask, *line))]
    rules = [rule for rule in found if rule.from_edge_to_edge or _has_company(rule, found)]
    if not rules:
        return None
    bands = np.zeros_like(mask)
    for across in (True, False):
        ink = _opened(ink, [rule for rule in rules if _is_horizontal(rule) == across], across, bands)
    return _without_leftovers(ink, bands, float(np.median([rule.thickness for rule in rules])))


def _candidates(mask: Mask) -> list[tuple[float, float]]:
    """Hough lines with many votes, as (distance from the origin, angle of the normal), without duplicates."""
    scale = min(1.0, _COARSE / max(mask.shape))
    size = (round(mask.shape[1] * scale), round(mask.shape[0] * scale))
    coarse = mask if scale == 1 else cv2.resize(mask * 255, size, interpolation=cv2.INTER_AREA)
    points = (coarse > (60 if scale < 1 else 0)).astype(np.uint8)
    # Blobs would vote for every line through them, so only thin parts may vote.
    blobs = cv2.morphologyEx(points, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    votes = cv2.HoughLines(cv2.subtract(points, blobs), 1.5, np.pi / 240, int(_SHORTEST * min(size)))
    chosen: list[tuple[float, float]] = []
    for distance, angle in [] if votes is None else votes[:400, 0]:
        if len(chosen) < _MOST and not any(_same(distance, angle, *other) for other in chosen):
            chosen.append((float(distance), float(angle)))
    return [(distance / scale, angle) for distance, angle in chosen]


def _same(distance: float, angle: float, other: float, other_angle: float) -> bool:
    apart = abs(angle - other_angle)
    if apart > np.pi / 2:  # a line with the opposite normal is the same line
        apart, other = np.pi - apart, -other
    return bool(apart < _PARALLEL and abs(distance - other) < 7)


def _followed(mask: Mask, distance: float, angle: float) -> Rule | None:
    """The printed line that follows the ink along a Hough line; None if the ink is too thick or has gaps."""
    normal, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    way = _inside(distance * normal, along, mask.shape)
    if way is None:
        return None
    steps = np.arange(way[0], way[1], 2.0)
    middle = distance * normal + steps[:, None] * along
    offsets = np.arange(-_REACH, _REACH + 1)
    spots = np.rint(middle[:, None] + offsets[:, None] * normal).astype(int)
    x, y = (np.clip(spots[..., k], 0, mask.shape[1 - k] - 1) for k in (0, 1))
    profile = mask[y, x] > 0
    wide = profile.sum(axis=1)
    thin = (wide > 0) & (wide <= _REACH)
    if thin.mean() < 0.3:
        return None
    centre = (profile * offsets).sum(axis=1) / np.maximum(wide, 1)
    course = np.polynomial.Polynomial.fit(steps[thin], centre[thin], 2)(steps)
    on_it = thin & (np.abs(centre - course) < 2.5)
    thickness = float(np.median(wide[on_it])) if on_it.any() else 0.0
    if not on_it.any() or thickness > 0.02 * max(mask.shape) + 2:
        return None
    covered = on_it | (wide > _REACH)
    ends = max(3, int(_AT_THE_EDGE * len(steps)))
    through = bool(covered.mean() > _COVERED and covered[:ends].any() and covered[-ends:].any())
    if not through:
        extent = np.flatnonzero(on_it)
        # A row of digits also gets votes, but has more gaps than ink.
        if len(extent) * 2 < _SHORTEST * min(mask.shape) or covered[extent[0] : extent[-1]].mean() < _COVERED:
            return None
    return Rule(middle + course[:, None] * normal, thickness, angle, through)


def _inside(
    start: NDArray[np.float64], along: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[float, float] | None:
    """Where a line enters and leaves the picture, in pixels along it from `start`."""
    low, high = -np.inf, np.inf
    for k in (0, 1):
        if abs(along[k]) > 1e-9:
            ends = sorted(((0 - start[k]) / along[k], (shape[1 - k] - 1 - start[k]) / along[k]))
            low, high = max(low, ends[0]), min(high, ends[1])
        elif not 0 <= start[k] < shape[1 - k]:
            return None
    return (low, high) if high - low > 0.15 * min(shape) else None


def _has_company(rule: Rule, others: list[Rule]) -> bool:
    """Whether at least two more lines are parallel to this one."""
    turns = [abs(rule.angle - other.angle) for other in others]
    return sum(bool(min(turn, np.pi - turn) < _PARALLEL) for turn in turns) >= 3


def _is_horizontal(rule: Rule) -> bool:
    return bool(abs(np.sin(rule.angle)) > abs(np.cos(rule.angle)))


def _opened(ink: InkLevels, rules: list[Rule], across: bool, bands: Mask) -> InkLevels:
    """The ink, which is kept on these lines only where it continues at right angles to them.

    The lines are drawn into `bands`.
    """
    if not rules:
        return ink
    lean = max(abs(np.cos(rules[0].angle)), abs(np.sin(rules[0].angle)))
    thickness = float(np.median([rule.thickness for rule in rules])) / lean
    band = np.zeros_like(ink)
    for rule in rules:
        path = np.rint(rule.points).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(band, [path], False, 1, int(np.ceil(rule.thickness)) + 4)
    length = int(np.ceil(thickness * 1.5)) + 2
    kernel = np.ones((length, 1) if across else (1, length), np.uint8)
    opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel)
    np.maximum(bands, band, out=bands)
    return np.where(band > 0, opened, ink)


def _without_leftovers(ink: InkLevels, bands: Mask, thickness: float) -> InkLevels:
    """The ink without pieces that are mostly on printed lines, and without lines that cut off a corner."""
    ink = np.where(ink > _TRACE, ink, 0).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))
    left, top, width, height, area = stats.T
    on_lines = np.bincount(labels[bands > 0], minlength=count)
    at_border = (left == 0) | (top == 0) | (left + width == ink.shape[1]) | (top + height == ink.shape[0])
    thin = area <= (1.5 * thickness + 1) * np.hypot(width, height)
    stays = on_lines < _ON_LINES * area
    for label in np.flatnonzero(stays & at_border & thin):
        spots = cv2.findNonZero((labels == label).astype(np.uint8))
        stays[label] = min(cv2.minAreaRect(spots)[1]) > 3 * thickness + 2  # a bent piece is not a line
    return np.asarray(ink * stays.astype(np.uint8)[labels], np.uint8)
