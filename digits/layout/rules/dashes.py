"""Dashed and dotted lines: small pieces of ink at even distances on a straight line."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.profile import measured
from digits.layout.rules.rule import Mask, Rule, fitted
from digits.layout.rules.scale import Scale

_FILLED = 0.6  # of the box around it that a dash fills; most digits fill half as much
_CORNER = 2.2  # times the usual dash: where dashes of two rules meet
_DASHES = 12  # small pieces of ink, fewer make no dashed rule
_LEAST = 6  # pixels of ink on a rule
_MOST = 200  # candidates


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


def dashed_rules(dashes: Mask, scale: Scale) -> list[Rule]:
    """The lying dashed rules that small pieces of ink make."""
    # A line that leans shows in each row of pixels for a short way only: thickened, for a longer one.
    thick = cv2.dilate(dashes, np.ones((max(5, round(1.5 * scale.stroke) | 1), 1), np.uint8))
    long = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, np.ones((1, scale.gap), np.uint8))
    long = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((1, 2 * scale.gap), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(long, 8, cv2.CV_32S, cv2.CCL_GRANA)
    found: list[Rule | None] = []
    strong = np.asarray(255 * dashes, np.uint8)
    for k in [k for k in np.argsort(-stats[:, 2]) if k][:_MOST]:
        left, top, width, height = stats[k, :4].tolist()
        part = np.s_[top : top + height, left : left + width]
        y, x = np.nonzero(dashes[part] * (labels[part] == k))
        if len(x) < _LEAST or np.ptp(x) < scale.shortest - scale.gap:
            continue
        found.append(_through(x + left, y + top, scale))
    return [rule for rule in measured(found, strong) if rule is not None]


def _through(x: NDArray[np.intp], y: NDArray[np.intp], scale: Scale) -> Rule | None:
    """The line on which most of these pixels lie, if it is thin."""
    keep = np.ones(len(x), bool)
    bent = bool(np.ptp(x) > 3 * scale.shortest)
    for _ in range(3):
        course = fitted(x[keep].astype(float), y[keep].astype(float), bent)
        off = np.abs((course[0] * x + course[1]) * x + course[2] - y)
        keep = off <= max(scale.stroke, 1.5 * float(np.median(off)) + 0.5)
        if np.ptp(x[keep]) < scale.shortest - scale.gap:
            return None
    columns = len(np.unique(x[keep]))
    thickness = np.count_nonzero(keep) / max(columns, 1)
    return Rule(float(x[keep].min()), float(x[keep].max()), course, thickness, 1.0, dashed=True)
