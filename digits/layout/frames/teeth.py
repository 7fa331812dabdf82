"""The teeth of combs: short rules, or thin strokes of ink, that stand on a lying rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from digits.layout.rules.rule import Mask, Rule

_EVEN = 0.2  # of a tooth's length: how far two teeth differ in it
_THICKER = 2.7  # times as thick as the base: no tooth is thicker
_FOOT = 4  # pixels from the base: a tooth ends no further
_CUT = 9  # pixels that the paper's own rules, wiped out, may cut out of a tooth
_BEYOND = 2.5  # thicknesses of the base: how far beyond its ends a tooth may stand
_LOW = 1.5  # thicknesses of the base: what is lower is no tooth
HIGHEST = 0.2  # of the base's length: no tooth is higher


class Tooth(NamedTuple):
    """A standing rule, where it stands on its base, and how high its edges, and the ink there, show it."""

    place: float
    rule: Rule
    edges: float
    ink: float

    def at(self, place: float, foot: float) -> Tooth:
        """A tooth just like this one elsewhere on the base."""
        square, slope, _ = self.rule.course
        course = (square, slope, place - (square * foot + slope) * foot)
        start = self.rule.start + foot - self.rule.end
        return self._replace(place=place, rule=replace(self.rule, start=start, end=foot, course=course))

    def is_like(self, model: Tooth) -> bool:
        """Whether its edges or its ink end where another tooth does."""
        most = _EVEN * model.rule.length + 2
        return min(abs(height - model.rule.length) for height in (self.edges, self.ink)) <= most

    def as_high_as(self, model: Tooth) -> Tooth | None:
        """This tooth with the height of another, if it may be so high.

        Where writing touches a tooth its edges end below its top, and ink goes on above it.
        """
        length = model.rule.length
        if not self.is_like(model) and not (0 < self.edges < length < self.ink):
            return None
        height = min(max(self.rule.length, length), self.ink)
        return self._replace(rule=replace(self.rule, start=self.rule.end - height))


def teeth_on(base: Rule, standing: Sequence[Rule], mask: Mask, near: float) -> list[Tooth]:
    """All that may be teeth of this base, from the left: `standing` rules, and ink no nearer to them."""
    # What was found by its edges says better how it leans than the mask, which shows short teeth too.
    teeth = [tooth for rule in standing if (tooth := _as_tooth(rule, base)) is not None]
    inked = _standing_on(base, mask)
    for k, tooth in enumerate(teeth):
        here = [one.ink for one in inked if abs(one.place - tooth.place) <= near]
        teeth[k] = tooth._replace(ink=max([tooth.ink, *here]))
    teeth += [one for one in inked if all(abs(one.place - other.place) > near for other in teeth)]
    return sorted(teeth, key=lambda tooth: tooth.place)


def _as_tooth(rule: Rule, base: Rule) -> Tooth | None:
    """A standing rule as a tooth of this base, if it ends on it."""
    place = float(rule.at(rule.end))
    if not base.start - rule.thickness - _FOOT <= place <= base.end + rule.thickness + _FOOT:
        return None
    foot = float(base.at(place))
    if abs(rule.end - foot) > base.thickness + _FOOT:
        return None
    return Tooth(place, replace(rule, end=foot), foot - rule.start, foot - rule.start)


def _standing_on(base: Rule, mask: Mask) -> list[Tooth]:
    """All thin strokes that stand on a lying rule."""
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
