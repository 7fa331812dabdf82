"""Cuts touching digits along paths from top to bottom that cross as few strokes as possible."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom
from digits.network.network_input import stroke_width

_ROWS = 64  # height of the copy on which paths are searched, in pixels
_STROKE = 4.0  # cost of entering a stroke, however long the path stays in it
_INK = 0.1  # cost of a pixel of ink
_ASIDE = 0.15  # cost of a step to the side
_CUTS = 6.0  # greatest number of cuts in an atom as wide as the line is high
_CRUMB = 0.015  # least area of ink of a slice, relative to the square of the atom's height
_APART = 0.12  # least distance of two cuts, and of a cut from an end, relative to the line's height
_SHARED = 0.5  # ink within this share of a stroke's width from a cut belongs to both sides


def slices(atom: Atom, height: float) -> tuple[Atom, ...]:
    """The atom cut at the cheapest places, from the left; the atom itself if there is no such place."""
    scale = _ROWS / atom.height
    columns = max(3, round(atom.width * scale))
    small = cv2.resize(atom.pixels, (columns, _ROWS), interpolation=cv2.INTER_AREA) / np.float32(255)
    down, from_above = _ways(small)
    up, from_below = _ways(small[::-1])
    middle = _ROWS // 2
    through = down[middle] + up[_ROWS - 1 - middle] - (_INK + _STROKE) * small[middle]
    chosen = sorted(_valleys(through, max(2, round(_APART * height * scale)), most_cuts(atom, height)))
    if not chosen:
        return (atom,)
    columns_of_rows = _followed(np.array(chosen), from_above, from_below) / scale
    return _parted(atom, columns_of_rows, [float(through[column]) / _ROWS for column in chosen])


def most_cuts(atom: Atom, height: float) -> int:
    """The greatest number of cuts that are tried in an atom of a line with this height."""
    return max(1, round(_CUTS * atom.width / height))


def _ways(small: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The cost of the cheapest path from the top to each pixel, and the column that the path came from.

    A path moves at most one column aside in each row. Most of the cost is for edges where paper turns into
    ink, and not for the ink behind them.
    """
    rows, columns = small.shape
    total = (_INK + _STROKE) * small
    came = np.tile(np.arange(columns), (rows, 1))
    ink = np.pad(small, ((0, 0), (1, 1)))
    costs = np.full((3, columns), np.inf, np.float32)  # of coming from the left, from above, from the right
    for row in range(1, rows):
        above = total[row - 1]
        costs[0, 1:], costs[1], costs[2, :-1] = above[:-1] + _ASIDE, above, above[1:] + _ASIDE
        for step, cost in enumerate(costs):
            cost += _STROKE * np.maximum(small[row] - ink[row - 1, step : step + columns], 0)
        came[row] += costs.argmin(axis=0) - 1
        total[row] = _INK * small[row] + costs.min(axis=0)
    return total, came


def _valleys(through: NDArray[np.float32], apart: int, most: int) -> list[int]:
    """The cheapest columns, with a distance of at least `apart`."""
    chosen: list[int] = []
    for column in np.argsort(through, kind="stable"):
        inside = apart <= column <= len(through) - 1 - apart
        if inside and all(abs(column - other) >= apart for other in chosen):
            chosen.append(int(column))
        if len(chosen) == most:
            break
    return chosen


def _followed(
    chosen: NDArray[np.int64], from_above: NDArray[np.int64], from_below: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The column of each cut (first axis) in each row, along the paths through the chosen middle columns."""
    paths = np.zeros((len(chosen), _ROWS))
    middle = _ROWS // 2
    at = chosen
    for row in range(middle, -1, -1):
        paths[:, row] = at
        at = from_above[row, at]
    at = from_below[_ROWS - 1 - middle, chosen]
    for row in range(middle + 1, _ROWS):
        paths[:, row] = at
        at = from_below[_ROWS - 1 - row, at]
    return paths + 0.5


def _parted(atom: Atom, paths: NDArray[np.float64], costs: list[float]) -> tuple[Atom, ...]:
    rows = np.linspace(0, _ROWS - 1, atom.height)
    edges = [np.interp(rows, np.arange(_ROWS), path) for path in paths]
    columns = np.arange(atom.width)[None, :] + 0.5
    number = np.zeros(atom.pixels.shape, np.int16)
    for edge in edges:
        number += columns > edge[:, None]
    pen = stroke_width(atom.pixels)
    none = np.zeros(atom.pixels.shape, bool)
    shared = [none, *(_shared(atom, edge, pen) for edge in edges), none]
    parts = [
        _cropped(atom, np.where((number == k) | shared[k] | shared[k + 1], atom.pixels, 0), cut)
        for k, cut in enumerate([0.0, *costs])
    ]
    return tuple(part for part in parts if part is not None)


def _shared(atom: Atom, edge: NDArray[np.float64], pen: float) -> NDArray[np.bool_]:
    """The ink that may belong to either digit: ink of the strokes that the cut crosses, close to the cut."""
    rows = np.arange(atom.height)
    columns = np.clip(edge.astype(int), 0, atom.width - 1)
    met = np.zeros(atom.pixels.shape, np.uint8)
    met[rows, columns] = atom.pixels[rows, columns] > 64
    size = 2 * max(1, round(_SHARED * pen)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(met, disc) > 0)


def _cropped(atom: Atom, pixels: NDArray[np.uint8], cut: float) -> Atom | None:
    mask = np.asarray(cv2.threshold(pixels, 64, 1, cv2.THRESH_BINARY)[1], np.uint8)
    if cv2.countNonZero(mask) < _CRUMB * atom.height**2:
        return None
    x, y, width, height = cv2.boundingRect(mask)
    left, top = atom.box[0] + x, atom.box[1] + y
    return Atom((left, top, left + width, top + height), pixels[y : y + height, x : x + width], cut)
