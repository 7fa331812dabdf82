"""Finds the rules of a frame that are too faint or too blurred to show edges: together all of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, turned
from digits.layout.frames.lattice import crossings
from digits.layout.rules.rule import Rule

_LARGEST = 600  # pixels: the side of the upright picture of a frame in which they are looked for
_BAND = 0.08  # of the way between two rules that a new one crosses, beside each: where it is looked for
_LEAST = 8  # pixels of it in all
_ALIKE = 1.25  # times the narrowest way between two rules: as wide as that
_FAINTEST = 2.0  # of 255: how much darker a rule is than the paper on both sides
_NEAR = 0.25  # of the way between two rules, from each of them: no rule stands so near
_UNEVEN = 0.15  # of the usual way: how far the parts differ into which new rules divide it
_SMALLER = 0.7  # of the way between two rules: where others are so near, the parts are as wide as theirs,
_OFF = 0.3  # give or take this share of it
_COARSEST = 4  # ways between heavy rules: more are cells
_MOST = 4  # parts
_ROUNDS = 3
_COMPANY = 3  # rules that a new one crosses: two strokes of a pen may be as long as the way between two
_WIDEST = 0.25  # of the way between two rules: no new one is wider


class _Upright(NamedTuple):
    """A frame's inside as a rectangle: its darkness, and the homography from it to the picture."""

    dark: Grey
    back: NDArray[np.float64]


def faint_rules(dark: Grey, lying: Sequence[Rule], standing: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules that divide the ways between those of one frame evenly, lying and standing.

    `dark` is the picture's darkness (height, width).
    """
    if min(len(lying), len(standing)) < 2:
        return [], []
    rows, columns = _in_order(lying), _in_order(standing)
    x, y = crossings([rows[0], rows[-1]], [columns[0], columns[-1]])
    upright = _upright(dark, x, y)
    if upright is None:
        return [], []
    on_its_side = _Upright(turned(upright.dark), upright.back[:, [1, 0, 2]])
    found: tuple[list[Rule], list[Rule]] = [], []
    for _ in range(_ROUNDS):  # what is found in one direction shows where to look in the other
        down, across = _places(upright, rows, standing=False), _places(on_its_side, columns, standing=True)
        more = (
            _between(upright, rows, down, across, standing=False),
            _between(on_its_side, columns, across, down, standing=True),
        )
        if not more[0] and not more[1]:
            break
        found[0].extend(more[0])
        found[1].extend(more[1])
        rows, columns = _in_order([*rows, *more[0]]), _in_order([*columns, *more[1]])
    return found


def _in_order(rules: Sequence[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: float(rule.at(rule.middle)))


def _upright(dark: Grey, x: NDArray[np.float64], y: NDArray[np.float64]) -> _Upright | None:
    """The frame between these corners, (2, 2) by row and column, as a rectangle."""
    corners = np.stack([x, y], axis=-1)
    width = float(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).max())
    height = float(np.linalg.norm(corners[1] - corners[0], axis=1).max())
    scale = min(1.0, _LARGEST / max(width, height, 1.0))
    size = int(width * scale), int(height * scale)
    if min(size) < 2 * _MOST:
        return None
    flat = np.array([[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]], np.float32)
    back = cv2.getPerspectiveTransform(flat, corners.reshape(4, 2).astype(np.float32))
    shown = cv2.warpPerspective(dark, back, size, flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP)
    return _Upright(np.asarray(shown, np.uint8), np.asarray(back, np.float64))


def _places(upright: _Upright, rules: Sequence[Rule], standing: bool) -> list[float]:
    """Where these rules lie across an upright frame."""
    onto = np.asarray(np.linalg.inv(upright.back), np.float64)
    return [_place(onto, rule, standing) for rule in rules]


def _between(
    upright: _Upright,
    known: Sequence[Rule],
    places: Sequence[float],
    crossed: Sequence[float],
    standing: bool,
) -> list[Rule]:
    """The new lying rules of an upright frame between the known ones, which lie at these places.

    `crossed` are the places of the rules that they meet: near those nothing is written.
    """
    if len(crossed) < _COMPANY or len(known) < _COMPANY:  # a row of boxes has but two
        return []
    width = upright.dark.shape[1]
    scale = float(np.ptp(places)) / max(1.0, float(np.ptp([rule.at(rule.middle) for rule in known])))
    thickness = min(rule.thickness for rule in known)
    near = scale * thickness / 2 + 2
    far = near + max(3.0, _BAND * float(np.diff(crossed).min()))
    apart = np.abs(np.arange(width)[None] - np.array(crossed)[:, None]).min(axis=0)
    bands = upright.dark[:, (apart >= near) & (apart <= far)]
    if bands.shape[1] < _LEAST:
        return []
    levels = np.median(bands, axis=1)
    ways = np.diff(places)
    usual = float(ways.min())
    narrow = ways < _ALIKE * usual
    new = [_dividing(levels, first, second, usual) for first, second in pairwise(places)]
    # Ways as narrow as others are cells already, unless something divides each of them alike.
    counts = {len(some) for some, same in zip(new, narrow, strict=True) if same}
    if np.count_nonzero(narrow) > 1 and (len(counts) > 1 or counts == {0} or len(ways) > _COARSEST):
        new = [[] if same else some for some, same in zip(new, narrow, strict=True)]
    return [_rule(upright, place, width, thickness, standing) for some in new for place in some]


def _dividing(levels: NDArray[np.float64], first: float, second: float, usual: float) -> list[float]:
    """The places of new rules that divide the way between two known ones evenly; `usual` is the narrowest."""
    way = second - first
    start, end = int(first + _NEAR * way), int(second - _NEAR * way) + 1
    if way < 2 * _MOST or not 0 <= start < end <= len(levels):
        return []
    inside = levels[max(0, int(first)) : int(second) + 1]
    peaks = _peaks(levels, start, end, float(np.median(inside)))
    parts = np.diff([first, *peaks, second])
    if usual < _SMALLER * way and abs(parts.mean() - usual) > _OFF * usual:
        return []
    even = len(parts) <= _MOST and np.abs(parts - way / len(parts)).max() <= _UNEVEN * way / len(parts)
    return peaks if even else []


def _peaks(levels: NDArray[np.float64], start: int, end: int, paper: float) -> list[float]:
    """The middles of what is darker than paper in this part of a profile."""
    above = levels[start:end] >= paper + _FAINTEST
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.view(np.int8), [0]])))
    return [float(start + (first + last - 1) / 2) for first, last in edges.reshape(-1, 2).tolist()]


def _place(onto: NDArray[np.float64], rule: Rule, standing: bool) -> float:
    """Where a rule lies across an upright frame."""
    ends = np.array([[place, float(rule.at(place))] for place in (rule.start, rule.middle, rule.end)])
    points = ends[:, ::-1] if standing else ends
    mapped = cv2.perspectiveTransform(points[None].astype(np.float64), onto)[0]
    return median(map(float, mapped[:, 1]))


def _rule(upright: _Upright, place: float, width: int, thickness: float, standing: bool) -> Rule:
    """The rule at this place of an upright frame, in the picture."""
    ends = cv2.perspectiveTransform(np.array([[[0.0, place], [float(width), place]]]), upright.back)[0]
    if standing:
        ends = ends[:, ::-1]
    (start, at), (end, at_end) = ends.tolist()
    slope = (at_end - at) / max(end - start, 1.0)
    return Rule(start, end, (0.0, slope, at - slope * start), thickness, 1.0)
