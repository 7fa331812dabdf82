"""Computes the places of many horizontal rules, the darkness there, and the middle of their ink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.rules.rule import Rule, fitted_each, heights

Floats = NDArray[np.float64]

ASIDE = 3  # pixels from a rule's edge to the paper with which the rule is compared
_SAMPLES = 150  # places at which a rule's middle is measured


class Courses(NamedTuple):
    """Horizontal rules as columns (n, 1), and their courses (n, 1, 3)."""

    start: Floats
    end: Floats
    slope: Floats
    thickness: Floats
    course: Floats

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Self:
        columns = np.array([(rule.start, rule.end, rule.slope, rule.thickness) for rule in rules]).T[
            ..., None
        ]
        start, end, slope, thickness = columns
        return cls(start, end, slope, thickness, np.array([rule.course for rule in rules])[:, None])

    def at(self, places: Floats) -> Floats:
        """The places of the rules across their direction, extended straight beyond their ends."""
        within = np.clip(places, self.start, self.end)
        return heights(self.course, within) + (places - within) * self.slope


def levels_at(dark: Grey, places: Floats, across: Floats) -> Grey:
    """The darkness at these points; beyond the picture's edge, that at the edge."""
    maps = np.asarray(np.broadcast_to(places, across.shape), np.float32), np.asarray(across, np.float32)
    return np.asarray(cv2.remap(dark, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def recentred(rules: Sequence[Rule], inked: NDArray[np.bool_], dark: Grey) -> Floats:
    """The courses (n, 3) through the middle of these rules' ink, where `inked` (n, width) is true."""
    courses = Courses.of(rules)
    places, taken = _sampled(inked)
    reach = (courses.thickness / 2).astype(int) + ASIDE
    offsets = np.arange(-reach.max(), reach.max() + 1)
    middle = np.rint(courses.at(places))
    points = (np.repeat(places, len(offsets), axis=1), (middle[..., None] + offsets).reshape(len(rules), -1))
    levels = levels_at(dark, *points).reshape(*places.shape, -1).astype(np.float32)
    ends = len(offsets) // 2 + np.stack([-reach, reach], axis=2)
    levels -= np.take_along_axis(levels, ends, axis=2).max(axis=2, keepdims=True)  # paper
    weights = np.maximum(levels, 0, where=np.abs(offsets) <= reach[..., None], out=np.zeros_like(levels))
    total = weights.sum(axis=2)
    across = middle + (weights @ offsets) / np.maximum(total, 1)
    seen = taken & (total > 0)
    bent = courses.course[:, 0, 0] != 0
    found = fitted_each(places, across, bent, seen)
    off = np.where(seen, np.abs(heights(found[:, None], places) - across), np.inf)
    usual = np.take_along_axis(np.sort(off, axis=1), seen.sum(axis=1, keepdims=True) // 2, axis=1)
    near = off <= np.maximum(1.0, 2.0 * usual)
    found = fitted_each(places, across, bent, near)
    clear = seen.sum(axis=1) >= taken.sum(axis=1) / 2
    return np.where(clear[:, None], found, courses.course[:, 0])


def _sampled(inked: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Evenly chosen inked places of each row, and which of them exist."""
    number = np.cumsum(inked, axis=1)
    step = np.maximum(1, number[:, -1:] // _SAMPLES)
    rows, columns = np.nonzero(inked & ((number - 1) % step == 0))
    order = ((number - 1) // step)[rows, columns]
    places = np.full((len(inked), int(order.max()) + 1), -1.0)
    places[rows, order] = columns
    return np.maximum(places, 0.0), places >= 0
