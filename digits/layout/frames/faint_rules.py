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
FAINTEST = 2.0  # of 255: how much darker a rule is than the paper on both sides
_CLEAR = 5.0  # times the profile's own unrest: as much darker, too
_WRITTEN = 0.75  # quantile of the darkness further from the rules that a new one crosses:
_DARKER = 4.0  # times as clear a ridge there is writing, for a rule is as dark everywhere
_UNEVEN = 0.12  # of the way between two rules: how far a new one lies from its even place,
_ASIDE = 0.35  # and how far away there is paper
_SMALLER = 0.7  # of the way between two rules: where others are so near, the parts are as wide as theirs,
_OFF = 0.3  # give or take this share of it
_COARSEST = 4  # ways between heavy rules: more are cells
_MOST = 4  # parts
_ROOM = 8  # pixels, at least, between two rules that have cells between them
_ROUNDS = 3
_COMPANY = 3  # rules that a new one crosses: two strokes of a pen may be as long as the way between two


class _Upright(NamedTuple):
    """A frame's inside as a rectangle: its darkness, and the homography from it to the picture."""

    dark: Grey
    back: NDArray[np.float64]


def faint_rules(
    dark: Grey, lying: Sequence[Rule], standing: Sequence[Rule], on_lines: tuple[bool, bool] = (False, False)
) -> tuple[list[Rule], list[Rule]]:
    """The rules that divide the ways between those of one frame evenly, lying and standing.

    `dark` is the picture's darkness (height, width). `on_lines`: whether the paper has lines of its own,
    lying and standing: those are not the frame's, unless a way has just the room for several cells.
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
            _between(upright, rows, down, across, False, on_lines[0]),
            _between(on_its_side, columns, across, down, True, on_lines[1]),
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
    if min(size) < _ROOM:
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
    on_lines: bool,
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
    bands, inside = upright.dark[:, (apart >= near) & (apart <= far)], upright.dark[:, apart > far]
    if bands.shape[1] < _LEAST:
        return []
    beyond = np.quantile(inside if inside.size else bands, _WRITTEN, axis=1)
    levels = np.stack([np.median(bands, axis=1), beyond])
    ways = np.diff(places)
    room = ways >= _ROOM  # else these are the two lines of a double rule
    if not room.any():
        return []
    usual = float(ways[room].min())
    narrow = room & (ways < (1 / _SMALLER if on_lines else _ALIKE) * usual)
    new = [_dividing(levels, first, second, usual) for first, second in pairwise(places)]
    # The narrowest ways are cells, unless something divides each of them alike, and no wider one.
    counts = {len(some) for some, same in zip(new, narrow, strict=True) if same}
    wider = any(some for some, same in zip(new, narrow, strict=True) if not same)
    if on_lines or wider or len(counts) > 1 or np.count_nonzero(narrow) == 1 or len(ways) > _COARSEST:
        new = [[] if same else some for some, same in zip(new, narrow, strict=True)]
    return [_rule(upright, place, width, thickness, standing) for some in new for place in some]


def _dividing(levels: NDArray[np.float64], first: float, second: float, usual: float) -> list[float]:
    """The places of new rules that divide the way between two known ones evenly; `usual` is the narrowest.

    `levels` (2, n): how dark it is across the way, near the rules that a new one crosses and further away.
    """
    way = second - first
    if way < _ROOM:
        return []
    counts = range(_MOST, 1, -1)
    if usual < _SMALLER * way:
        count = round(way / usual)
        counts = range(count, count - 1, -1) if abs(way / count - usual) <= _OFF * usual else range(0)
    least = max(FAINTEST, _CLEAR * float(np.median(np.abs(np.diff(levels[0])))))
    for parts in counts:
        part = way / parts
        places = [_ridge(levels, first + k * part, part, least) for k in range(1, parts)]
        if None not in places:
            return [place for place in places if place is not None]
    return []


def _ridge(levels: NDArray[np.float64], place: float, part: float, least: float) -> float | None:
    """Where about this place of a profile (2, n) a narrow ridge is, `least` darker than both its sides."""
    sides = np.rint(place + part * np.array([-_ASIDE, -_UNEVEN, _UNEVEN, _ASIDE])).astype(int).tolist()
    left, middle, right = (levels[:, max(0, low) : high + 1] for low, high in pairwise(sides))
    if not left.size or not middle.size or not right.size:
        return None
    clear, within = middle.max(axis=1) - np.maximum(left.min(axis=1), right.min(axis=1))
    if clear < least or within > _DARKER * clear:
        return None
    return float(max(0, sides[1]) + np.flatnonzero(middle[0] == middle[0].max()).mean())


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
