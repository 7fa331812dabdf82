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
_END = 0.3  # of their distance: how near to an end of the base a tooth stands that is none of the even ones
_HIGHEST = 0.2  # of the base's length: no tooth is higher
_THICKER = 2.7  # times as thick as the base: no tooth is thicker
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


class Tooth(NamedTuple):
    """A standing rule, and where it stands on its base."""

    place: float
    rule: Rule


def comb_on(base: Rule, standing: Sequence[Rule], mask: Mask, scale: Scale) -> Comb | None:
    """The comb whose base this lying rule is, if it is one; `standing` are the other rules of the picture."""
    near = scale.stroke + 3
    # What was found by its edges says better how it leans than the mask, which shows short teeth too.
    teeth = [tooth for rule in standing if (tooth := _as_tooth(rule, base)) is not None]
    others = _standing_on(base, mask)
    teeth += [one for one in others if all(abs(one.place - other.place) > near for other in teeth)]
    if len(teeth) < _TEETH - 1:
        return None
    teeth.sort(key=lambda tooth: tooth.place)
    if len(teeth) > _MOST:
        return None
    even = _most_even(teeth)
    if len(even) < _TEETH or even[-1].place - even[0].place < _TOOTHED * base.length:
        return None
    usual = float(np.median([right.place - left.place for left, right in pairwise(even)]))
    near = max(near, _END * usual)
    ends = [
        tooth
        for tooth in teeth
        if min(abs(tooth.place - base.start), abs(tooth.place - base.end)) <= near
        and min(abs(tooth.place - other.place) for other in even) > _APART * usual
    ]
    whole = sorted({id(tooth): tooth for tooth in (*even, *ends)}.values(), key=lambda tooth: tooth.place)
    if max(whole[0].place - base.start, base.end - whole[-1].place) > near:
        return None  # a line of the paper, on which something stands
    found = [whole[0].rule]
    for left, right in pairwise(whole):
        if round((right.place - left.place) / usual) == 2:  # one between them is hidden by writing
            found.append(between(left.rule, right.rule, 0.5))
        found.append(right.rule)
    return Comb(base, tuple(found))


def _as_tooth(rule: Rule, base: Rule) -> Tooth | None:
    """A standing rule as a tooth of this base, if it ends on it and is low enough."""
    place = float(rule.at(rule.end))
    if not base.start - rule.thickness - _FOOT <= place <= base.end + rule.thickness + _FOOT:
        return None
    foot = float(base.at(place))
    if abs(rule.end - foot) > base.thickness + _FOOT or rule.length > _HIGHEST * base.length:
        return None
    return Tooth(place, replace(rule, end=foot))


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
            teeth.append(Tooth(place, Rule(bottom - height, bottom, course, float(len(group)), 1.0)))
    return teeth


def _most_even(teeth: Sequence[Tooth]) -> list[Tooth]:
    """The most teeth that are as long as each other and stand at whole distances; none where they are few."""
    best: list[Tooth] = []
    tried: set[tuple[int, ...]] = set()
    for model in teeth:
        length = model.rule.length
        own = [k for k, tooth in enumerate(teeth) if abs(tooth.rule.length - length) <= _EVEN * length + 2]
        alike = [teeth[k] for k in own]
        steps = {round(right.place - left.place) for left, right in pairwise(alike)}
        for step in steps:
            if step <= 0.5 * length or (step, *own) in tried:
                continue
            tried.add((step, *own))
            first = 0
            while len(alike) - first > max(len(best), _TEETH - 1):  # else no chain can be longer
                best = max(best, _chain(alike[first:], step), key=len)
                first += 1
    return best


def _chain(teeth: Sequence[Tooth], step: int) -> list[Tooth]:
    """The first tooth, and those that follow at one or two steps from each other."""
    chain = [teeth[0]]
    for tooth in teeth[1:]:
        times = (tooth.place - chain[-1].place) / step
        if 1 <= round(times) <= 2 and abs(times - round(times)) <= _STRAY * round(times):
            chain.append(tooth)
    return chain
