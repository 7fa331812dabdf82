"""Finds pen strokes among the rules of a frame: a tall 1 in a box, or an angular 0 that looks like a box."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.frames.lattice import EDGE, Chosen, Lattice, cut_off
from digits.layout.rules.parallel import weighted_median
from digits.layout.rules.rule import Mask, Rule, Rules, between, erased

_REACHES = 3.0  # greatest distance of a vertical rule's end from the horizontal rule, in pixels
_THICKER = 0.4  # greatest difference of a vertical rule's thickness, relative to the horizontal rules'
_UNEVEN = 0.13  # greatest difference between the boxes of a row, relative to the usual width
_WRITTEN = 0.3  # least height of writing in a single box, relative to the box; else the box is a digit
_EVEN_BOXES = 2  # least number of boxes whose width gives that of the others
_RIM = 1.5  # width of a box's rim that is not examined, relative to a rule's thickness
_CORNER = 0.1  # greatest distance of a corner from a rule's end, relative to the rule's length
_CORNERS = 12  # greatest number of corners that are examined
_LARGE = 0.5  # above this share of the picture's side, a rule is not a stroke of a digit in a box


def without_strokes(lattice: Lattice, rows: Chosen, columns: Chosen) -> Chosen:
    """The vertical rules without pen strokes that are as high as a row of boxes.

    A rule reaches both horizontal ones and is as thick as they are.
    """
    columns = columns.copy()
    for horizontal, vertical in lattice.frames(rows, columns):
        if len(horizontal) == 2 and len(vertical) > 2:
            places = lattice.x[horizontal].mean(axis=0)[vertical]
            order = np.argsort(places)
            columns[vertical[order]] = _are_rules(lattice, horizontal, vertical[order], places[order])
    return columns


def _are_rules(
    lattice: Lattice,
    horizontal: NDArray[np.intp],
    vertical: NDArray[np.intp],
    places: NDArray[np.float64],
) -> Chosen:
    stays = _are_plain(lattice, horizontal, vertical)
    stays[[0, -1]] = True
    gaps = np.diff(places[stays])
    usual = weighted_median(gaps, gaps)
    own = np.flatnonzero(stays).tolist()
    k = 1
    while k < len(own) - 1:
        before, after = places[own[k]] - places[own[k - 1]], places[own[k + 1]] - places[own[k]]
        if abs(before + after - usual) < _UNEVEN * usual and max(before, after) < (1 - _UNEVEN) * usual:
            stays[own.pop(k)] = False
        else:
            k += 1
    return stays


def missing_between_boxes(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> list[Rule]:
    """The vertical rules of a single row of boxes that were not found, if the others have even distances."""
    if len(horizontal) != 2 or len(vertical) < _EVEN_BOXES + 1:
        return []
    ordered = sorted(vertical, key=lambda rule: float(rule.at(rule.middle)))
    gaps = np.diff([float(rule.at(rule.middle)) for rule in ordered])
    usual = float(np.quantile(gaps, 0.4))
    times = np.rint(gaps / usual)
    even = np.abs(gaps / usual - times) <= _UNEVEN * np.maximum(times, 1)
    known = int(np.count_nonzero(times == 1))
    # Separate boxes have as many gaps as boxes.
    few = max(_EVEN_BOXES, 2 * (len(times) - known))
    if times.min() < 1 or not even.all() or known < few:
        return []
    return [
        between(ordered[k], ordered[k + 1], number / times[k])
        for k in range(len(gaps))
        for number in range(1, int(times[k]))
    ]


def _are_plain(lattice: Lattice, horizontal: NDArray[np.intp], vertical: NDArray[np.intp]) -> Chosen:
    """Which vertical rules are clearly printed: dashed, or reaching both horizontal rules and as thick."""
    thickness = float(np.mean([lattice.horizontal[k].thickness for k in horizontal]))
    tops, bottoms = np.sort(lattice.y[horizontal][:, vertical], axis=0)
    plain = []
    for number, top, bottom in zip(vertical, tops, bottoms, strict=True):
        rule = lattice.vertical[number]
        reaches = max(abs(rule.start - top), abs(rule.end - bottom)) <= _REACHES + thickness
        alike = abs(rule.thickness - thickness) <= _THICKER * thickness + 1
        plain.append(rule.dashed or (reaches and alike))
    return np.array(plain, bool)


def without_loops(lattice: Lattice, rows: Chosen, columns: Chosen, mask: Mask) -> tuple[Chosen, Chosen]:
    """The rules without single boxes that have no writing inside, because these are angular digits."""
    rows, columns = rows.copy(), columns.copy()
    for horizontal, vertical in lattice.frames(rows, columns):
        if len(horizontal) != 2 or len(vertical) != 2:
            continue
        x, y = (points[np.ix_(horizontal, vertical)] for points in (lattice.x, lattice.y))
        left, right = np.sort(x.mean(axis=0)).astype(int).tolist()
        top, bottom = np.sort(y.mean(axis=1)).astype(int).tolist()
        rim = int(_RIM * max(lattice.horizontal[k].thickness for k in horizontal)) + 2
        inside = mask[max(0, top + rim) : bottom - rim, max(0, left + rim) : right - rim]
        if not _holds_writing(inside):
            rows[horizontal], columns[vertical] = False, False
    return rows, columns


def _holds_writing(inside: Mask, touching: int = 1) -> bool:
    """Whether a box contains a piece of ink that touches at most `touching` of its sides."""
    if not inside.size:
        return False
    height, width = inside.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    left, top, across, down = stats[1:, :4].T
    touched = (left == 0).astype(int) + (top == 0) + (left + across == width) + (top + down == height)
    return bool(((touched <= touching) & (down > _WRITTEN * height)).any())


def corners(lattice: Lattice, mask: Mask) -> tuple[Chosen, Chosen]:
    """The rules that meet at their ends, and so are sides of a box that was cut off.

    There is writing between them, or the picture's edge cuts off both, which hardly happens to a 7.
    """
    rows, columns = np.zeros(len(lattice.horizontal), bool), np.zeros(len(lattice.vertical), bool)
    for i, j in np.argwhere(lattice.meets)[:_CORNERS].tolist():
        horizontal, vertical = lattice.horizontal[i], lattice.vertical[j]
        across = _beside(horizontal, float(lattice.x[i, j]))
        down = _beside(vertical, float(lattice.y[i, j]))
        if across is None or down is None:
            continue
        rim = int(_RIM * max(horizontal.thickness, vertical.thickness)) + 2
        rest = erased(mask, Rules([horizontal], [vertical]))
        inside = rest[down[0] + rim : down[1] - rim, across[0] + rim : across[1] - rim]
        large = horizontal.length > _LARGE * mask.shape[1] and vertical.length > _LARGE * mask.shape[0]
        ends = (
            _free_end_cut(horizontal, lattice.x[i, j], mask.shape[1]),
            _free_end_cut(vertical, lattice.y[i, j], mask.shape[0]),
        )
        if all(ends) or _holds_writing(inside, touching=int(large)):
            rows[i], columns[j] = True, True
    return rows, columns


def _free_end_cut(rule: Rule, corner: float, side: int) -> bool:
    """Whether the end of a rule that is not in a corner is at the picture's edge."""
    at_start, at_end = cut_off([rule], side, EDGE)[0].tolist()
    return bool(at_end if abs(corner - rule.start) < abs(corner - rule.end) else at_start)


def _beside(rule: Rule, corner: float) -> tuple[int, int] | None:
    """The range of a rule from a corner at one of its ends; None if the corner is not at an end."""
    most = _REACHES + _CORNER * rule.length
    if abs(corner - rule.start) <= most:
        return max(0, int(corner)), int(rule.end)
    if abs(corner - rule.end) <= most:
        return max(0, int(rule.start)), int(corner)
    return None
