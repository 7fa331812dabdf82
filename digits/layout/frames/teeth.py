"""The teeth of combs: short rules, or thin strokes of ink, on a horizontal rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from digits.layout.rules.rule import Mask, Rule

_EVEN = 0.2  # greatest difference in length between two teeth, relative to a tooth's length
_THICKER = 2.7  # greatest thickness of a tooth, relative to the thickness of the base
_FOOT = 4  # greatest distance of a tooth's end from the base, in pixels
_CUT = 9  # pixels that removing the paper's own rules may cut out of a tooth
_BEYOND = 2.5  # thicknesses of the base: greatest distance of a tooth beyond the ends of the base
_LOW = 1.5  # least height of a tooth, in thicknesses of the base
HIGHEST = 0.2  # greatest height of a tooth, relative to the base's length


class Tooth(NamedTuple):
    """A vertical rule, its place on the base, and its heights according to its edges and its ink."""

    place: float
    rule: Rule
    edges: float
    ink: float

    def at(self, place: float, foot: float) -> Tooth:
        """A copy of this tooth at another place of the base."""
        square, slope, _ = self.rule.course
        course = (square, slope, place - (square * foot + slope) * foot)
        start = self.rule.start + foot - self.rule.end
        return self._replace(place=place, rule=replace(self.rule, start=start, end=foot, course=course))

    def is_like(self, model: Tooth) -> bool:
        """Whether its edges or its ink are about as high as another tooth."""
        most = _EVEN * model.rule.length + 2
        return min(abs(height - model.rule.length) for height in (self.edges, self.ink)) <= most

    def as_high_as(self, model: Tooth) -> Tooth | None:
        """This tooth with the height of another, if it may be that high; else None.

        Where writing touches a tooth, its edges end below its top, and ink continues above it.
        """
        length = model.rule.length
        if not self.is_like(model) and not (0 < self.edges < length < self.ink):
            return None
        height = min(max(self.rule.length, length), self.ink)
        return self._replace(rule=replace(self.rule, start=self.rule.end - height))


def teeth_on(base: Rule, vertical: Sequence[Rule], mask: Mask, near: float) -> list[Tooth]:
    """All possible teeth of this base, from the left: vertical rules, and ink not `near` one of them."""
    # Edges show the slope of a tooth better than the mask does, but the mask also shows short teeth.
    teeth = [tooth for rule in vertical if (tooth := _as_tooth(rule, base)) is not None]
    inked = _strokes_on(base, mask)
    for k, tooth in enumerate(teeth):
        here = [one.ink for one in inked if abs(one.place - tooth.place) <= near]
        teeth[k] = tooth._replace(ink=max([tooth.ink, *here]))
    teeth += [one for one in inked if all(abs(one.place - other.place) > near for other in teeth)]
    return sorted(teeth, key=lambda tooth: tooth.place)


def _as_tooth(rule: Rule, base: Rule) -> Tooth | None:
    """A vertical rule as a tooth of this base, if it ends on the base; else None."""
    place = float(rule.at(rule.end))
    if not base.start - rule.thickness - _FOOT <= place <= base.end + rule.thickness + _FOOT:
        return None
    foot = float(base.at(place))
    if abs(rule.end - foot) > base.thickness + _FOOT:
        return None
    return Tooth(place, replace(rule, end=foot), foot - rule.start, foot - rule.start)


def _strokes_on(base: Rule, mask: Mask) -> list[Tooth]:
    """All thin strokes on a horizontal rule."""
    beyond = int(_BEYOND * base.thickness) + 4
    first, last = max(0, int(base.start) - beyond), min(mask.shape[1] - 1, int(base.end) + beyond)
    x = np.arange(first, last + 1)
    foot = np.rint(base.at(x.astype(float)) - base.thickness / 2 - 1).astype(int)
    reach = max(1, int(HIGHEST * base.length))
    y = foot[None] - np.arange(reach)[:, None]
    ink = (mask[np.clip(y, 0, len(mask) - 1), x[None]] > 0) & (y >= 0)
    closed = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((_CUT, 3), np.uint8))
    high = np.where(np.all(closed, axis=0), reach, np.argmin(closed, axis=0))
    tall = np.flatnonzero(high > _LOW * base.thickness + 2)
    teeth = []
    for group in np.split(tall, np.flatnonzero(np.diff(tall) > 1) + 1):
        if 0 < len(group) <= _THICKER * base.thickness + 2:
            place, height = float(x[group].mean()), float(high[group].max())
            top = float(x[group[high[group] >= 0.8 * height]].mean())
            bottom, lean = base.at(place), (place - top) / height
            course = (0.0, lean, place - lean * bottom)
            rule = Rule(bottom - height, bottom, course, float(len(group)), 1.0)
            teeth.append(Tooth(place, rule, 0.0, height))
    return teeth
