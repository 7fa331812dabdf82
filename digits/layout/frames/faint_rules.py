"""Finds rules too faint or blurred for edge detection, by the darkness along their whole length."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, transposed
from digits.layout.frames.lattice import crossings
from digits.layout.rules.rule import Rule

_LARGEST = 600  # side of the rectified picture of a frame, in pixels
_BAND = 0.08  # width of the strips along crossed rules that show a new rule, relative to their spacing
_LEAST = 8  # least total width of these strips, in pixels
_ALIKE = 1.25  # greatest spacing that counts as equal to the narrowest, relative to the narrowest
FAINTEST = 2.0  # least difference between a rule and the paper on both sides, of 255
_CLEAR = 5.0  # least difference between a rule and the paper, relative to the noise of the profile
_WRITTEN = 0.75  # quantile of the darkness outside the strips that is compared with that in the strips
_DARKER = 4.0  # greatest contrast of a rule outside the strips, relative to that in them: more is writing
_UNEVEN = 0.12  # tolerance of a new rule's place, relative to the spacing
_ASIDE = 0.35  # distance from a new rule at which there is paper, relative to the spacing
_SMALLER = 0.7  # below this share of a space, the narrowest space is the width of the parts of the wider one
_OFF = 0.3  # tolerance of that width, relative to the narrowest space
_COARSEST = 4  # greatest number of spaces between heavy rules: if there are more, they are cells
_MOST = 4  # greatest number of parts of a space
_ROOM = 8  # least spacing of two rules with cells between them, in pixels
_ROUNDS = 3
_COMPANY = 3  # least number of rules that a new rule crosses, since two may be pen strokes


class _Upright(NamedTuple):
    """A frame's inside rectified to a rectangle: its darkness, and the homography from it to the picture."""

    dark: Grey
    back: NDArray[np.float64]


def faint_rules(
    dark: Grey,
    horizontal: Sequence[Rule],
    vertical: Sequence[Rule],
    on_lines: tuple[bool, bool] = (False, False),
) -> tuple[list[Rule], list[Rule]]:
    """New rules that divide the spaces between the rules of one frame evenly, horizontal and vertical.

    `dark` is the picture's darkness (height, width). `on_lines` is true for each direction in which the paper
    has lines of its own. They do not belong to the frame, unless they divide a space into usual cells.
    """
    if min(len(horizontal), len(vertical)) < 2:
        return [], []
    rows, columns = _in_order(horizontal), _in_order(vertical)
    x, y = crossings([rows[0], rows[-1]], [columns[0], columns[-1]])
    upright = _upright(dark, x, y)
    if upright is None:
        return [], []
    on_its_side = _Upright(transposed(upright.dark), upright.back[:, [1, 0, 2]])
    found: tuple[list[Rule], list[Rule]] = [], []
    for _ in range(_ROUNDS):  # rules found in one direction help to find those in the other
        down, across = _places(upright, rows, vertical=False), _places(on_its_side, columns, vertical=True)
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
    """The frame between these corners (2, 2), by row and column, rectified; None if it is too small."""
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


def _places(upright: _Upright, rules: Sequence[Rule], vertical: bool) -> list[float]:
    """The places of these rules across a rectified frame."""
    onto = np.asarray(np.linalg.inv(upright.back), np.float64)
    return [_place(onto, rule, vertical) for rule in rules]


def _between(
    upright: _Upright,
    known: Sequence[Rule],
    places: Sequence[float],
    crossed: Sequence[float],
    vertical: bool,
    on_lines: bool,
) -> list[Rule]:
    """The new horizontal rules of a rectified frame between the known ones, which are at these places.

    `crossed` are the places of the rules that they cross. Little is written near those.
    """
    if len(crossed) < _COMPANY or len(known) < _COMPANY:  # a row of boxes has only two
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
    # The narrowest spaces are cells and stay whole, unless all of them divide alike and no wider one divides.
    counts = {len(some) for some, same in zip(new, narrow, strict=True) if same}
    wider = any(some for some, same in zip(new, narrow, strict=True) if not same)
    if on_lines or wider or len(counts) > 1 or np.count_nonzero(narrow) == 1 or len(ways) > _COARSEST:
        new = [[] if same else some for some, same in zip(new, narrow, strict=True)]
    return [_rule(upright, place, width, thickness, vertical) for some in new for place in some]


def _dividing(levels: NDArray[np.float64], first: float, second: float, usual: float) -> list[float]:
    """The places of new rules that divide the space between two known ones evenly.

    `usual` is the narrowest space. `levels` (2, n) is the darkness across the space, near the rules that a
    new one crosses and further away.
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
    """The place of a narrow ridge near this place, `least` darker than both of its sides; None without one.

    `levels` (2, n) as in `_dividing`.
    """
    sides = np.rint(place + part * np.array([-_ASIDE, -_UNEVEN, _UNEVEN, _ASIDE])).astype(int).tolist()
    left, middle, right = (levels[:, max(0, low) : high + 1] for low, high in pairwise(sides))
    if not left.size or not middle.size or not right.size:
        return None
    clear, within = middle.max(axis=1) - np.maximum(left.min(axis=1), right.min(axis=1))
    if clear < least or within > _DARKER * clear:
        return None
    return float(max(0, sides[1]) + np.flatnonzero(middle[0] == middle[0].max()).mean())


def _place(onto: NDArray[np.float64], rule: Rule, vertical: bool) -> float:
    """The place of a rule across a rectified frame."""
    ends = np.array([[place, float(rule.at(place))] for place in (rule.start, rule.middle, rule.end)])
    points = ends[:, ::-1] if vertical else ends
    mapped = cv2.perspectiveTransform(points[None].astype(np.float64), onto)[0]
    return median(map(float, mapped[:, 1]))


def _rule(upright: _Upright, place: float, width: int, thickness: float, vertical: bool) -> Rule:
    """The rule at this place of a rectified frame, in the picture."""
    ends = cv2.perspectiveTransform(np.array([[[0.0, place], [float(width), place]]]), upright.back)[0]
    if vertical:
        ends = ends[:, ::-1]
    (start, at), (end, at_end) = ends.tolist()
    slope = (at_end - at) / max(end - start, 1.0)
    return Rule(start, end, (0.0, slope, at - slope * start), thickness, 1.0)
