"""Distinguishes the lines of squared paper from those of a table."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digits.layout.frames.lattice import EDGE, OVERSHOT, crossings, cut_off
from digits.layout.rules.courses import ASIDE
from digits.layout.rules.rule import Mask, Rule, Rules, erased

_MANY = 3  # least number of rules in each direction
_NEAR = 6  # tolerance of crossings, in pixels
_MOSTLY = 0.5  # least share of squared paper's rules that continue beyond their last crossing
_SQUARE = 1.3  # greatest ratio of the sides of a square, in perspective
_SPECK = 0.3  # below this share of the largest mark, a mark is not counted
_AS_LONG = 0.6  # least length of a line of the paper, relative to the usual length
_AS_THICK = 1.8  # above this multiple of the lines' usual thickness, a rule is a pen stroke
_CROSSED = 0.3  # least number of strokes across rules for each mark, on squared paper


def is_squared_paper(horizontal: Sequence[Rule], vertical: Sequence[Rule], shape: tuple[int, ...]) -> bool:
    """Whether most of these rules continue beyond their last crossing, as those of squared paper do.

    They continue on both sides, or the picture's edge cuts them off.
    """
    if min(len(horizontal), len(vertical)) < _MANY:
        return False
    x, y = crossings(horizontal, vertical)
    near = _NEAR + 1.5 * max(rule.thickness for rule in (*horizontal, *vertical))
    beyond = []
    for rules, places, side in ((horizontal, x, shape[1]), (vertical, y.T, shape[0])):
        cut = cut_off(rules, side, EDGE)
        for rule, place, ends in zip(rules, places, cut, strict=True):
            met = place[(place > rule.start - near) & (place < rule.end + near)]
            if len(met) > 1:
                most = OVERSHOT * float(np.ptp(met)) / (len(met) - 1) + near
                over = np.array([met.min() - rule.start > most, rule.end - met.max() > most])
                beyond.append(bool((over | ends).all() and (over.any() or ends.all())))
    return bool(sum(beyond) > _MOSTLY * len(beyond))


def are_squares(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> bool:
    """Whether these rules have about the same spacing in both directions, despite perspective and losses."""
    x, y = crossings(horizontal, vertical)
    across, down = (
        float(np.quantile(np.diff(np.sort(some.mean(axis=axis))), 0.25)) for some, axis in ((x, 0), (y, 1))
    )
    return max(across, down) <= _SQUARE * min(across, down)


def is_written_over(rules: Rules, mask: Mask) -> bool:
    """Whether writing crosses these rules as often as on squared paper, which it seldom does in cells."""
    if not rules.horizontal and not rules.vertical:
        return False
    upright, transposed = erased(mask, Rules([], rules.vertical)), erased(mask, Rules(rules.horizontal, [])).T
    crossed = sum(_crossings(rule, upright) for rule in rules.horizontal)
    crossed += sum(_crossings(rule, transposed) for rule in rules.vertical)
    cut = int(max(rule.thickness for some in rules for rule in some)) + 5
    writing = cv2.morphologyEx(erased(mask, rules), cv2.MORPH_CLOSE, np.ones((cut, cut), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(writing, 8, cv2.CV_32S, cv2.CCL_GRANA)
    sides = stats[1:, 2:4].max(axis=1)
    marks = np.count_nonzero(sides > _SPECK * sides.max(initial=1))
    return bool(crossed > _CROSSED * marks)


def alike(rules: Rules, paper: Rules) -> Rules:
    """The rules about as long and as thick as the lines of squared paper, by direction.

    A line that continues beyond its last crossing does not belong to a frame, but may be a line of the paper.
    """
    return Rules(*(_as_usual(some, own) for some, own in zip(rules, paper, strict=True)))


def _as_usual(rules: Sequence[Rule], paper: Sequence[Rule]) -> list[Rule]:
    if not paper:
        return []
    length = _AS_LONG * float(np.median([rule.length for rule in paper]))
    thickness = _AS_THICK * float(np.median([rule.thickness for rule in paper])) + 1
    return [rule for rule in rules if rule.length >= length and rule.thickness <= thickness]


def _crossings(rule: Rule, mask: Mask) -> int:
    """The number of strokes that cross a horizontal rule."""
    height, width = mask.shape
    places = np.arange(max(0, int(rule.start)), min(width, int(rule.end) + 1))
    middle, aside = rule.at(places.astype(float)), rule.thickness / 2 + ASIDE
    above, below = (
        mask[np.clip(np.rint(middle + side).astype(int), 0, height - 1), places] for side in (-aside, aside)
    )
    wide = np.ones((1, 2 * int(aside) + 1), np.uint8)
    both = cv2.dilate(above[None], wide)[0] & cv2.dilate(below[None], wide)[0]
    return int(np.count_nonzero(np.diff(both.astype(np.int8), prepend=0) > 0))
