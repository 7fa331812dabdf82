"""Removes printed lines that the picture's edge cuts lengthwise, as in a picture of a cut-out cell.

At most one edge of such a line is in the picture. It shows as a strip of ink along the border.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.rules.rule import Mask

_THIN = 0.08  # greatest depth of a strip, relative to the picture's shorter side
_LONG = 0.4  # least length of a strip, relative to a side
_CORNER = 0.03  # greatest distance of a strip from a corner of the picture, relative to a side
_MOSTLY = 0.5  # least share of a piece of ink that is in strips; a digit at the border has a smaller share


def without_cut_lines(dark: Grey, least: int) -> Grey:
    """The darkness (height, width) without strips of ink along its border; the same array without strips."""
    mask = np.asarray(cv2.threshold(dark, least, 1, cv2.THRESH_BINARY)[1], np.uint8)
    strips = np.zeros_like(mask)
    deepest = max(2, round(_THIN * min(mask.shape)))
    for turns in range(4):
        _mark_strip(np.rot90(mask, turns), np.rot90(strips, turns), deepest)
    if not strips.any():
        return dark
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=count)
    mostly = np.bincount(labels[strips > 0], minlength=count) >= _MOSTLY * sizes
    goes = (strips > 0) & mostly[labels]
    if not goes.any():
        return dark
    return np.where(goes, 0, dark).astype(np.uint8)


def _mark_strip(mask: Mask, strips: Mask, deepest: int) -> None:
    """Mark the strip of ink along the first row at its usual depth, if it is thin and long."""
    depth = _depths(mask[: deepest + 2])
    inked = (depth > 0) & (depth <= deepest)
    own = depth[inked]
    if len(own) < _LONG * len(depth):
        return
    places = np.flatnonzero(inked)
    corner = max(2.0, _CORNER * len(depth))
    if places[0] > corner and places[-1] < len(depth) - 1 - corner:
        return
    usual = int(np.quantile(own, 0.9))
    kept = np.minimum(depth, usual)[None] > np.arange(usual)[:, None]
    strips[:usual][kept] = 1


def _depths(mask: Mask) -> NDArray[np.intp]:
    """The depth of the ink that begins in the first or the second row, for each column."""
    inked = mask > 0
    inked[0] = inked[:2].any(axis=0)  # the soft edge of a line may be lighter than its middle
    return np.where(inked.all(axis=0), len(inked), np.argmin(inked, axis=0))
