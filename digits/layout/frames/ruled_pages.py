"""Distinguishes the base of a comb from a line of a ruled page, on which digits stand like teeth."""

from __future__ import annotations

from collections.abc import Sequence

from digits.layout.frames.combs import Comb
from digits.layout.rules.rule import Rule
from digits.layout.rules.scale import Scale

_ALIKE = 0.1  # greatest difference between the ends of lines of the same page, relative to a line's length
_LINES = 3  # least number of other lines of the same page


def off_ruled_pages(combs: Sequence[Comb], horizontal: Sequence[Rule], scale: Scale) -> list[Comb]:
    """The combs whose base is not one of several horizontal rules that begin and end below each other.

    Combs below each other are kept, because lines with combs do not count.
    """
    based = {line for comb in combs for line in _along(comb.base, horizontal, scale)}
    bare = [line for line in horizontal if line not in based]

    def is_of_a_page(comb: Comb) -> bool:
        # The shortest line is the one with the comb. On squared paper, a longer one may lie along its base.
        lines = sorted(_along(comb.base, horizontal, scale), key=lambda line: line.length)
        return any(_of_a_page(line, bare, comb) for line in lines[:1])

    return [comb for comb in combs if not is_of_a_page(comb)]


def _along(base: Rule, horizontal: Sequence[Rule], scale: Scale) -> list[Rule]:
    """The rules along which a base lies: it may be part of one, or fill the gap between two."""
    return [
        line
        for line in horizontal
        if line.start <= base.start + scale.gap
        and line.end >= base.end - scale.gap
        and abs(line.at(base.middle) - base.at(base.middle)) <= (line.thickness + base.thickness) / 2
    ]


def _of_a_page(line: Rule, bare: Sequence[Rule], comb: Comb) -> bool:
    """Whether a line has others of its page further away than teeth reach. Nearer ones are its own edges."""
    near, most = max(tooth.length for tooth in comb.teeth), _ALIKE * line.length
    like = [
        other
        for other in bare
        if abs(other.start - line.start) <= most
        and abs(other.end - line.end) <= most
        and abs(other.at(line.middle) - line.at(line.middle)) > near
    ]
    return len(like) >= _LINES
