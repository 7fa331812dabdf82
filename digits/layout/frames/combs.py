"""Combs: horizontal rules with short teeth, and a field for one digit between neighbouring teeth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.layout.frames.teeth import HIGHEST, Tooth, teeth_on
from digits.layout.rules.rule import Mask, Rule, between
from digits.layout.rules.scale import Scale

_TEETH = 4  # least number of teeth
_MOST = 60  # greatest number of teeth: more are a texture
_STRAY = 0.15  # tolerance of the teeth's places, relative to their distance
_TOOTHED = 0.85  # least distance from the first tooth to the last, relative to the base
_STEPS = (2, 3)  # greatest number of steps between known teeth: one may be hidden or, in a second try, two
_END = 0.3  # greatest distance from the base's end to the tooth there, relative to the distance of teeth
_SEEN = 0.6  # least share of known teeth among all teeth
_APART = 0.6  # least distance of two teeth, relative to the usual distance


@dataclass(frozen=True, slots=True, eq=False)
class Comb:
    """A horizontal rule with teeth at even distances, from the left."""

    base: Rule
    teeth: tuple[Rule, ...]

    def holds(self, rule: Rule) -> bool:
        """Whether a horizontal rule is between the teeth, so that it is a stroke of the writing there."""
        above = float(self.base.at(rule.middle) - rule.at(rule.middle))
        return self.base.start <= rule.middle <= self.base.end and 0 < above < max(
            tooth.length for tooth in self.teeth
        )


def comb_on(base: Rule, vertical: Sequence[Rule], mask: Mask, scale: Scale) -> Comb | None:
    """The comb with this horizontal rule as its base; None if it has none.

    `vertical` are the vertical rules of the picture.
    """
    near = scale.stroke + 3
    teeth = teeth_on(base, vertical, mask, near)
    if not _TEETH - 1 <= len(teeth) <= _MOST:
        return None
    for steps in _STEPS:
        comb = _comb_of(base, teeth, near, steps)
        if comb is not None:
            return comb
    return None


def _comb_of(base: Rule, teeth: Sequence[Tooth], near: float, steps: int) -> Comb | None:
    """The comb that some of these teeth form, with at most `steps` steps between neighbours, or None."""
    even = _most_even([tooth for tooth in teeth if tooth.rule.length <= HIGHEST * base.length], steps)
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
        return None  # a line of the paper with something written on it
    gaps = [(right.place - left.place) / usual for left, right in pairwise(whole)]
    fields = [round(gap) for gap in gaps]
    wide = [gap for gap in gaps if round(gap) > _STEPS[0]]
    if not all(_are_whole(gap, steps) for gap in wide) or len(even) < _SEEN * (sum(fields) + 1):
        return None
    found = [whole[0].rule]
    for (left, right), times in zip(pairwise(whole), fields, strict=True):
        # The teeth between these two are hidden by writing.
        found += [between(left.rule, right.rule, step / times) for step in range(1, times)]
        found.append(right.rule)
    return Comb(base, tuple(found))


def _is_at_end(tooth: Tooth, base: Rule, near: float) -> bool:
    return min(abs(tooth.place - base.start), abs(tooth.place - base.end)) <= near


def _with_high_ends(even: list[Tooth], ends: Sequence[Tooth], usual: float) -> list[Tooth]:
    """Even teeth, and one tooth more at each end, which may be higher, as the sides of a box are."""
    first, last = even[0].place, even[-1].place
    before = [tooth for tooth in ends if abs(first - tooth.place - usual) <= _STRAY * usual][:1]
    after = [tooth for tooth in ends if abs(tooth.place - last - usual) <= _STRAY * usual][:1]
    return [*before, *even, *after]


def _with_hidden_ends(teeth: list[Tooth], base: Rule, usual: float) -> list[Tooth]:
    """These teeth, and one that writing hides at an end of the base, at the same distance as the others.

    If the base continues beyond both the first and the last tooth, it is a line with digits on it.
    """

    def beside(tooth: Tooth, end: float) -> list[Tooth]:
        hidden = abs(abs(end - tooth.place) - usual) <= _STRAY * usual
        return [tooth.at(end, float(base.at(end)))] if hidden else []

    before, after = beside(teeth[0], base.start), beside(teeth[-1], base.end)
    return teeth if before and after else [*before, *teeth, *after]


def _most_even(teeth: Sequence[Tooth], most: int) -> list[Tooth]:
    """The largest group of equally long teeth at whole numbers of steps; of equally large ones, the widest.

    It is empty if there are fewer than four such teeth.
    """
    best: list[Tooth] = []
    tried: set[tuple[int, ...]] = set()
    for model in teeth:
        own = {k: same for k, tooth in enumerate(teeth) if (same := tooth.as_high_as(model)) is not None}
        alike = list(own.values())
        steps = {round(right.place - left.place) for left, right in pairwise(alike)}
        for step in steps:
            if step <= 0.5 * model.rule.length or (step, *own) in tried:
                continue
            tried.add((step, *own))
            first = 0
            while len(alike) - first >= max(len(best), _TEETH):  # else no chain can be longer
                best = max(best, _chain(alike[first:], step, most), key=_extent)
                first += 1
    return best


def _extent(teeth: Sequence[Tooth]) -> tuple[int, float]:
    return len(teeth), teeth[-1].place - teeth[0].place if teeth else 0.0


def _chain(teeth: Sequence[Tooth], step: int, most: int) -> list[Tooth]:
    """The first tooth, and the teeth that follow at whole numbers of steps, at most `most`."""
    chain = [teeth[0]]
    for tooth in teeth[1:]:
        times = (tooth.place - chain[-1].place) / step
        if _are_whole(times, most):
            chain.append(tooth)
    return chain


def _are_whole(steps: float, most: int) -> bool:
    """Whether this number of steps is nearly a whole number from 1 to `most`."""
    return 1 <= round(steps) <= most and abs(steps - round(steps)) <= _STRAY * min(steps, 2)
