"""Merges the pieces of one line."""

from __future__ import annotations

import numpy as np

from digits.layout.rules.rule import Course, Rule, fitted
from digits.layout.rules.scale import Scale

_IN_PIECES = 0.6  # least share of ink on a rule that is merged from pieces
_SAME = 0.1  # greatest difference between two equal courses, in pixels
_BENT = 0.02  # greatest bend of a rule on a curved page, relative to the distance between two pieces


def merged(rules: list[Rule], scale: Scale) -> list[Rule]:
    """The rules, with pieces of one line merged into one rule."""
    whole: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: rule.start):
        for k, other in enumerate(whole):
            if _goes_on(other, rule, scale):
                whole[k] = _joined(other, rule)
                break
        else:
            whole.append(rule)
    return whole


def _goes_on(first: Rule, second: Rule, scale: Scale) -> bool:
    """Whether the second rule continues the first one."""
    if first.dashed != second.dashed:
        return False
    apart = second.start - first.end
    # A dashed rule has little ink anyway, so its whole length counts.
    inked = sum(rule.length * (1.0 if rule.dashed else rule.covered) for rule in (first, second))
    if inked < _IN_PIECES * (max(first.end, second.end) - first.start):
        return False
    near = 0.5 * (first.thickness + second.thickness) + 1
    if apart < -scale.gap:  # next to each other, as two edges of one thick line
        middle = (second.start + min(first.end, second.end)) / 2
        return abs(first.at(middle) - second.at(middle)) < near
    short, long = (first, second) if first.length < second.length else (second, first)
    near += _BENT * abs(short.middle - long.middle)
    places = (short.start, short.middle, short.end)
    return all(abs(long.straight_on(place) - short.at(place)) < near for place in places)


def _joined(first: Rule, second: Rule) -> Rule:
    start, end = first.start, max(first.end, second.end)
    whole = first.length + second.length
    inked = first.length * first.covered + second.length * second.covered
    thickness = (first.length * first.thickness + second.length * second.thickness) / max(whole, 1)
    covered = min(1.0, inked / max(end - start, 1))
    course = first.course if _is_again(first, second) else _common_course(first, second)
    return Rule(start, end, course, thickness, covered, first.dashed, max(first.step, second.step))


def _is_again(first: Rule, second: Rule) -> bool:
    """Whether the second rule is a duplicate of the first, from other edges or another scale."""
    places = (second.start, second.middle, second.end)
    return second.end <= first.end and all(abs(first.at(k) - second.at(k)) < _SAME for k in places)


def _common_course(first: Rule, second: Rule) -> Course:
    points = [np.linspace(rule.start, rule.end, max(3, int(rule.length / 4))) for rule in (first, second)]
    across = [rule.at(places) for rule, places in zip((first, second), points, strict=True)]
    return fitted(np.concatenate(points), np.concatenate(across), True)
