"""Strokes of a pen among the rules of a frame: a tall 1 in a box, a 0 with corners that is itself a box."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.lattice import Chosen, Lattice, weighted_median
from digits.layout.rules import Mask, Scale

_REACHES = 3.0  # pixels: a standing rule ends no further from the lying one
_THICKER = 0.4  # of the lying rules' thickness that a standing one may differ
_UNEVEN = 0.13  # of the usual width: how far the boxes of a row differ
_BETWEEN = 0.09  # of the usual width: how far a rule stands from where the next box begins
_WRITTEN = 0.3  # of a single box's height: where nothing in it is so high, the box was written itself
_RIM = 0.12  # of a single box's side that is not looked at


def without_strokes(lattice: Lattice, rows: Chosen, columns: Chosen, scale: Scale) -> Chosen:
    """The standing rules without strokes of a pen that are as high as a row of boxes.

    A rule reaches both lying ones and is as thick as they are, or it stands where the next box begins.
    """
    columns = columns.copy()
    for lying, standing in lattice.frames(rows, columns):
        if len(lying) == 2 and len(standing) > 2:
            places = lattice.x[lying].mean(axis=0)[standing]
            order = np.argsort(places)
            columns[standing[order]] = _are_rules(lattice, lying, standing[order], places[order], scale)
    return columns


def _are_rules(
    lattice: Lattice,
    lying: NDArray[np.intp],
    standing: NDArray[np.intp],
    places: NDArray[np.float64],
    scale: Scale,
) -> Chosen:
    plain = _are_plain(lattice, lying, standing, scale)
    plain[[0, -1]] = True
    gaps = np.diff(places[plain])
    usual = weighted_median(gaps, gaps)
    stays = plain.copy()
    for k in np.flatnonzero(~plain).tolist():
        steps = np.abs(places[k] - places[plain]) / usual
        near = np.abs(steps - np.rint(steps)) <= _BETWEEN
        stays[k] = bool((near & (steps > 0.5) & (steps < 3.5)).any())
    own = np.flatnonzero(stays).tolist()
    k = 1
    while k < len(own) - 1:
        before, after = places[own[k]] - places[own[k - 1]], places[own[k + 1]] - places[own[k]]
        if abs(before + after - usual) < _UNEVEN * usual and max(before, after) < (1 - _UNEVEN) * usual:
            stays[own.pop(k)] = False
        else:
            k += 1
    return stays


def _are_plain(lattice: Lattice, lying: NDArray[np.intp], standing: NDArray[np.intp], scale: Scale) -> Chosen:
    """Which standing rules are plainly printed: they reach both lying ones and are as thick."""
    thickness = float(np.mean([lattice.lying[k].thickness for k in lying]))
    tops, bottoms = np.sort(lattice.y[lying][:, standing], axis=0)
    plain = []
    for number, top, bottom in zip(standing, tops, bottoms, strict=True):
        rule = lattice.standing[number]
        most = scale.gap / 2 if rule.dashed else _REACHES + thickness
        reaches = max(abs(rule.start - top), abs(rule.end - bottom)) <= most
        plain.append(reaches and abs(rule.thickness - thickness) <= _THICKER * thickness + 1)
    return np.array(plain, bool)


def without_loops(lattice: Lattice, rows: Chosen, columns: Chosen, mask: Mask) -> tuple[Chosen, Chosen]:
    """The rules without single boxes that nothing is written in: they are digits with corners."""
    rows, columns = rows.copy(), columns.copy()
    for lying, standing in lattice.frames(rows, columns):
        if len(lying) != 2 or len(standing) != 2:
            continue
        x, y = (points[np.ix_(lying, standing)] for points in (lattice.x, lattice.y))
        left, right = np.sort(x.mean(axis=0)).astype(int).tolist()
        top, bottom = np.sort(y.mean(axis=1)).astype(int).tolist()
        thickest = max(lattice.lying[k].thickness for k in lying)
        rim = int(max(2 * thickest + 2, _RIM * min(right - left, bottom - top)))
        inside = mask[max(0, top + rim) : bottom - rim, max(0, left + rim) : right - rim]
        if not _holds_writing(inside):
            rows[lying], columns[standing] = False, False
    return rows, columns


def _holds_writing(inside: Mask) -> bool:
    """Whether there is ink in a box that does not hang on its sides."""
    if not inside.size:
        return False
    height, width = inside.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    left, top, across, down = stats[1:, :4].T
    apart = (left > 0) & (top > 0) & (left + across < width) & (top + down < height)
    return bool((apart & (down > _WRITTEN * height)).any())
