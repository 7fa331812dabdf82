"""Combs: a lying rule on which short teeth stand, a field for one digit between each two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from digits.layout.rules.rule import Mask, Rule, between
from digits.layout.rules.scale import Scale

_TEETH = 4  # at least
_MOST = 60  # more are texture
_EVEN = 0.2  # of a tooth's length: how far two teeth differ in it
_STRAY = 0.15  # of their distance: how far teeth stray
_TOOTHED = 0.85  # of the base, from the first tooth to the last
_FIELDS = 2  # at most between two teeth that were found: one is hidden
_END = 0.3  # of their distance: how near to an end of the base a tooth stands that is none of the even ones
_HIGHEST = 0.2  # of the base's length: no tooth is higher
_THICKER = 2.7  # times as thick as the base: no tooth is thicker
_SEEN = 0.6  # of all teeth that there must be
_APART = 0.6  # of their distance: no two teeth are nearer
_FOOT = 4  # pixels from the base: a tooth ends no further
_CUT = 9  # pixels that the paper's own rules, wiped out, may cut out of a tooth
_BEYOND = 2.5  # thicknesses of the base: how far beyond its ends a tooth may stand
_LOW = 1.5  # thicknesses of the base: what is lower is no tooth


@dataclass(frozen=True, slots=True, eq=False)
class Comb:
    """A lying rule and what stands on it at even distances, from the left."""

    base: Rule
    teeth: tuple[Rule, ...]

    def holds(self, rule: Rule) -> bool:
        """Whether a lying rule is between the teeth: a stroke of what is written there."""
        above = float(self.base.at(rule.middle) - rule.at(rule.middle))
        return self.base.start <= rule.middle <= self.base.end and 0 < above < max(
            tooth.length for tooth in self.teeth
        )


class Tooth(NamedTuple):
    """A standing rule, where it stands on its base, and how high its edges and the ink there show it to be."""

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


def comb_on(base: Rule, standing: Sequence[Rule], mask: Mask, scale: Scale) -> Comb | None:
    """The comb whose base this lying rule is, if it is one; `standing` are the other rules of the picture."""
    near = scale.stroke + 3
    # What was found by its edges says better how it leans than the mask, which shows short teeth too.
    teeth = [tooth for rule in standing if (tooth := _as_tooth(rule, base)) is not None]
    inked = _standing_on(base, mask)
    for k, tooth in enumerate(teeth):
        here = [one.ink for one in inked if abs(one.place - tooth.place) <= near]
        teeth[k] = tooth._replace(ink=max([tooth.ink, *here]))
    teeth += [one for one in inked if all(abs(one.place - other.place) > near for other in teeth)]
    if len(teeth) < _TEETH - 1:
        return None
    teeth.sort(key=lambda tooth: tooth.place)
    if len(teeth) > _MOST:
        return None
    even = _most_even([tooth for tooth in teeth if tooth.rule.length <= _HIGHEST * base.length])
    if len(even) < _TEETH:
        return None
    usual = float(np.median([right.place - left.place for left, right in pairwise(even)]))
    even = _with_high_ends(even, [tooth for tooth in teeth if _is_at_end(tooth, base, near)], usual)
    if even[-1].place - even[0].place < _TOOTHED * base.length:
        return None
    near = max(near, _END * usual)
    ends = [
        tooth
        for tooth in teeth
        if _is_at_end(tooth, base, near)
        and min(abs(tooth.place - other.place) for other in even) > _APART * usual
    ]
    whole = sorted([*even, *ends], key=lambda tooth: tooth.place)
    whole = _with_hidden_ends(whole, base, usual)
    if max(whole[0].place - base.start, base.end - whole[-1].place) > near:
        return None  # a line of the paper, on which something stands
    fields = [round((right.place - left.place) / usual) for left, right in pairwise(whole)]
    if max(fields) > _FIELDS or len(even) < _SEEN * (sum(fields) + 1):
        return None
    found = [whole[0].rule]
    for (left, right), times in zip(pairwise(whole), fields, strict=True):
        if times == _FIELDS:  # one between them is hidden by writing
            found.append(between(left.rule, right.rule, 0.5))
        found.append(right.rule)
    return Comb(base, tuple(found))


def _is_at_end(tooth: Tooth, base: Rule, near: float) -> bool:
    return min(abs(tooth.place - base.start), abs(tooth.place - base.end)) <= near


def _with_high_ends(even: list[Tooth], ends: Sequence[Tooth], usual: float) -> list[Tooth]:
    """Even teeth, and those of the ends that are one step further: they may be higher, as a box's sides are."""
    first, last = even[0].place, even[-1].place
    before = [tooth for tooth in ends if abs(first - tooth.place - usual) <= _STRAY * usual][:1]
    after = [tooth for tooth in ends if abs(tooth.place - last - usual) <= _STRAY * usual][:1]
    return [*before, *even, *after]


def _with_hidden_ends(teeth: list[Tooth], base: Rule, usual: float) -> list[Tooth]:
    """These teeth, and one at an end of the base that is just as far from them: writing hides it.

    A line that goes on beyond both the first and the last is one on which digits stand.
    """

    def beside(tooth: Tooth, end: float) -> list[Tooth]:
        hidden = abs(abs(end - tooth.place) - usual) <= _STRAY * usual
        return [tooth.at(end, float(base.at(end)))] if hidden else []

    before, after = beside(teeth[0], base.start), beside(teeth[-1], base.end)
    return teeth if before and after else [*before, *teeth, *after]


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
    reach = max(1, int(_HIGHEST * base.length))
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


def _most_even(teeth: Sequence[Tooth]) -> list[Tooth]:
    """The most teeth that are as long as each other and stand at whole distances; of as many, the widest."""
    best: list[Tooth] = []
    for model in teeth:
        length = model.rule.length
        alike = [same for tooth in teeth if (same := tooth.as_high_as(model)) is not None]
        steps = {round(right.place - left.place) for left, right in pairwise(alike)}
        for step in steps:
            if step > 0.5 * length:
                best = max(best, *(_chain(alike[first:], step) for first in range(len(alike))), key=_extent)
    return best


def _extent(teeth: Sequence[Tooth]) -> tuple[int, float]:
    return len(teeth), teeth[-1].place - teeth[0].place if teeth else 0.0


def _chain(teeth: Sequence[Tooth], step: int) -> list[Tooth]:
    """The first tooth, and those that follow at one or two steps from each other."""
    chain = [teeth[0]]
    for tooth in teeth[1:]:
        times = (tooth.place - chain[-1].place) / step
        if 1 <= round(times) <= 2 and abs(times - round(times)) <= _STRAY * round(times):
            chain.append(tooth)
    return chain
