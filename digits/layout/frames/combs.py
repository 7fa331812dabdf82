"""Combs: a lying rule on which short teeth stand, a field for one digit between each two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.layout.frames.teeth import HIGHEST, Tooth, teeth_on
from digits.layout.rules.rule import Mask, Rule, between
from digits.layout.rules.scale import Scale

_TEETH = 4  # at least
_MOST = 60  # more are texture
_STRAY = 0.15  # of their distance: how far teeth stray
_TOOTHED = 0.85  # of the base, from the first tooth to the last
_STEPS = (2, 3)  # at most from a tooth that was found to the next: one is hidden, or else two
_END = 0.3  # of their distance: how near to an end of the base a tooth stands that is none of the even ones
_SEEN = 0.6  # of all teeth that there must be
_APART = 0.6  # of their distance: no two teeth are nearer


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


def comb_on(base: Rule, standing: Sequence[Rule], mask: Mask, scale: Scale) -> Comb | None:
    """The comb whose base this lying rule is, if it is one; `standing` are the other rules of the picture."""
    near = scale.stroke + 3
    teeth = teeth_on(base, standing, mask, near)
    if not _TEETH - 1 <= len(teeth) <= _MOST:
        return None
    found = (_comb_of(base, teeth, near, steps) for steps in _STEPS)
    return next((comb for comb in found if comb is not None), None)


def _comb_of(base: Rule, teeth: Sequence[Tooth], near: float, steps: int) -> Comb | None:
    """The comb that some of these teeth make, with no more than so many steps from one to the next."""
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
        return None  # a line of the paper, on which something stands
    gaps = [(right.place - left.place) / usual for left, right in pairwise(whole)]
    fields = [round(gap) for gap in gaps]
    wide = [gap for gap in gaps if round(gap) > _STEPS[0]]
    if not all(_are_whole(gap, steps) for gap in wide) or len(even) < _SEEN * (sum(fields) + 1):
        return None
    found = [whole[0].rule]
    for (left, right), times in zip(pairwise(whole), fields, strict=True):
        # Those between them are hidden by writing.
        found += [between(left.rule, right.rule, step / times) for step in range(1, times)]
        found.append(right.rule)
    return Comb(base, tuple(found))


def _is_at_end(tooth: Tooth, base: Rule, near: float) -> bool:
    return min(abs(tooth.place - base.start), abs(tooth.place - base.end)) <= near


def _with_high_ends(even: list[Tooth], ends: Sequence[Tooth], usual: float) -> list[Tooth]:
    """Even teeth, and those of the ends one step further: they may be higher, as a box's sides are."""
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


def _most_even(teeth: Sequence[Tooth], most: int) -> list[Tooth]:
    """The most teeth that are as long as each other and stand at whole distances; of as many, the widest.

    None where they are few.
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
    """The first tooth, and those that follow at most so many steps from each other."""
    chain = [teeth[0]]
    for tooth in teeth[1:]:
        times = (tooth.place - chain[-1].place) / step
        if _are_whole(times, most):
            chain.append(tooth)
    return chain


def _are_whole(steps: float, most: int) -> bool:
    """Whether so many steps are nearly one, two, or up to `most`."""
    return 1 <= round(steps) <= most and abs(steps - round(steps)) <= _STRAY * min(steps, 2)
