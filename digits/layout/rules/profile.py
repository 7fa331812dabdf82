"""Measures the darkness along lines, compared with the paper on both sides: their ends and their dashes.

All candidates of a picture are measured together, because measuring one costs as much as measuring all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.rules.courses import ASIDE, Courses, levels_at, recentred
from digits.layout.rules.rule import Rule

Levels = NDArray[np.int16]
Which = NDArray[np.bool_]

_BENT = 0.02  # greatest bend of a rule on a curved page, relative to a rule's length
_CLOSE = 1  # pixels from a rule's edge, where there is paper even between two rules that nearly touch
_FAINTEST = 4  # least contrast of a rule, of 255
OWN = 0.4  # below this share of a rule's usual contrast, a place is paper
_PAPER = 1.5  # weight of a place of bare paper against one of ink, when a rule is extended
_ENDED = 8.0  # the same, if another rule may follow it
_THINNED = 0.5  # least ratio of ink to paper on a dashed rule, relative to its usual ratio
_ALONE = 0.3  # least share of a rule's length that nothing crosses
_UNBROKEN = 0.8  # least share of ink on a solid rule, where nothing crosses it
_TRIES = 2  # rounds of moving a rule to the middle of its ink, since little ink may be near at first
_STEPS = 3  # least number of steps from dash to dash
_STRAY = 0.3  # tolerance of a step, relative to the distance of dashes
_REGULAR = 0.5  # least share of steps within this tolerance


class _Profiles(NamedTuple):
    """Measurements of each rule (rows) at each place across the picture (columns).

    `inside`: whether it is in the picture. `ridge`: how much darker it is than its darker side. `on`: its
    darkness. `paper`: the darkness of its lighter side.
    """

    inside: Which
    ridge: Levels
    on: Grey
    paper: Grey

    def inked(self, contrast: NDArray[np.float64]) -> tuple[Which, Which]:
        """Where rules of this contrast (n,) show ink, and where bare paper; elsewhere they are hidden."""
        level = OWN * contrast[:, None]
        inked = self.inside & (self.ridge >= level)
        return inked, self.inside & ~inked & (self.on < level + self.paper)


def _is_straight(rule: Rule) -> bool:
    """Whether a rule bends no more than a curved page does."""
    return abs(rule.course[0]) * rule.length**2 / 4 <= _BENT * rule.length + 2


def measured(rules: Sequence[Rule | None], dark: Grey, alone: bool = False) -> list[Rule | None]:
    """Each rule as far as it shows ink, with its share of ink; None if it shows too little.

    With `alone`, rules are solid and not extended to another that follows, as in a column of boxes.
    """
    found: list[Rule | None] = [None] * len(rules)
    straight = {k: rule for k, rule in enumerate(rules) if rule is not None and _is_straight(rule)}
    if not straight:
        return found
    numbers, own = list(straight), list(straight.values())
    courses = Courses.of(own)
    profiles = _profiles(courses, dark)
    places = np.arange(dark.shape[1])
    along = profiles.inside & (places >= courses.start) & (places <= courses.end)
    seen = along & (profiles.ridge > _FAINTEST)
    inked, bare = profiles.inked(_medians(profiles.ridge, seen))
    first, last = _reach(inked, bare, along & inked, _ENDED if alone else _PAPER)
    reached = (places >= first[:, None]) & (places <= last[:, None])
    inked &= reached
    ink, paper = np.count_nonzero(inked, axis=1), np.count_nonzero(bare & reached, axis=1)
    covered = ink / np.maximum(1, ink + paper)
    enough = seen.any(axis=1) & (seen.sum(axis=1) >= _ALONE * along.sum(axis=1)) & (last - first >= 3)
    dashed = np.array([rule.dashed for rule in own]) | (covered < _UNBROKEN)
    for k in np.flatnonzero(enough & dashed).tolist():
        enough[k] = not alone and _is_even(np.flatnonzero(inked[k]), bare[k])
    which = np.flatnonzero(enough)
    if not len(which):
        return found
    middles = recentred([own[k] for k in which], inked[which], dark).tolist()
    for k, (square, slope, offset) in zip(which.tolist(), middles, strict=True):
        course, thickness = (square, slope, offset), own[k].thickness
        ends = float(first[k]), float(last[k])
        found[numbers[k]] = Rule(*ends, course, thickness, float(covered[k]), bool(dashed[k]))
    return found


def followed(rules: Sequence[Rule], dark: Grey) -> list[Rule]:
    """Dashed rules as far as there are dashes, some of which writing may touch or hide."""
    rules = [rule for rule in rules if _is_straight(rule)]
    if not rules:
        return []
    courses = Courses.of(rules)
    profiles = _profiles(courses, dark)
    places = np.arange(dark.shape[1])
    along = profiles.inside & (places >= courses.start) & (places <= courses.end)
    contrasts = [
        np.quantile(ridge[own], 1 - rule.covered / 2) if own.any() else 0
        for rule, ridge, own in zip(rules, profiles.ridge, along, strict=True)
    ]
    inked, bare = profiles.inked(np.maximum(_FAINTEST, contrasts))
    ink, paper = (np.count_nonzero(some & along, axis=1) for some in (inked, bare))
    # They continue while the ratio of dashes to gaps is at least half of the usual ratio.
    thinned = np.minimum(_PAPER, _THINNED * ink / np.maximum(paper, 1))
    first, last = _reach(inked, bare, along & inked, thinned[:, None])
    return [
        replace(rule, start=float(start), end=float(end))
        for rule, start, end, dots in zip(rules, first, last, ink, strict=True)
        if dots
    ]


def centred(rules: Sequence[Rule], dark: Grey) -> list[Rule]:
    """The rules, moved to the middle of the ink along them."""
    for _ in range(_TRIES):
        courses = Courses.of(rules)
        profiles = _profiles(courses, dark)
        places = np.arange(dark.shape[1])
        along = profiles.inside & (places >= courses.start) & (places <= courses.end)
        inked, _ = profiles.inked(
            np.maximum(_FAINTEST, _medians(profiles.ridge, along & (profiles.ridge > _FAINTEST)))
        )
        inked &= along
        shown = inked.any(axis=1)
        which = np.flatnonzero(shown).tolist()
        if not which:
            break
        middles = recentred([rules[k] for k in which], inked[shown], dark).tolist()
        course_of = {
            k: (square, slope, offset) for k, (square, slope, offset) in zip(which, middles, strict=True)
        }
        rules = [replace(rule, course=course_of.get(k, rule.course)) for k, rule in enumerate(rules)]
    return list(rules)


def _profiles(courses: Courses, dark: Grey) -> _Profiles:
    height, width = dark.shape
    places = np.arange(float(width))
    middle = courses.at(places)
    edge = courses.thickness / 2
    on = levels_at(np.asarray(cv2.dilate(dark, np.ones((3, 1), np.uint8)), np.uint8), places, middle)
    # Between two rules close to each other, there may be only one pixel of paper.
    beside = [
        np.minimum(*(levels_at(dark, places, middle + side * (edge + off)) for off in (_CLOSE, ASIDE)))
        for side in (-1, 1)
    ]
    ridge = on.astype(np.int16) - np.maximum(*beside)
    return _Profiles((middle >= 0) & (middle <= height - 1), ridge, on, np.minimum(*beside))


def _medians(levels: Levels, seen: Which) -> NDArray[np.float64]:
    """The median of the levels (1 to 255) of each row that are seen; 0 if none is."""
    own = 256 * np.arange(len(levels))[:, None] + np.where(seen, levels, 0)
    counts = np.bincount(own.ravel(), minlength=256 * len(levels)).reshape(-1, 256)
    counts[:, 0] = 0
    reached = counts.cumsum(axis=1)
    total = reached[:, -1:]
    lower, upper = (np.argmax(reached >= rank, axis=1) for rank in ((total + 1) // 2, (total + 2) // 2))
    return np.asarray((lower + upper) / 2)


def _reach(
    inked: Which, bare: Which, own: Which, weight: float | NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and last place of each rule, extended while there is more ink than weighted paper."""
    gain = np.asarray(inked - weight * bare, np.float64)
    width = gain.shape[1]
    return width - 1 - _farthest(gain[:, ::-1], own[:, ::-1]), _farthest(gain, own)


def _farthest(gain: NDArray[np.float64], own: Which) -> NDArray[np.intp]:
    """For each row, the place from the last own one on at which the cumulative gain is highest."""
    width = gain.shape[1]
    last = width - 1 - np.argmax(own[:, ::-1], axis=1)
    after = np.where(np.arange(width) < last[:, None], 0.0, gain)
    return np.asarray(np.argmax(np.cumsum(after, axis=1), axis=1))


def _is_even(places: NDArray[np.intp], bare: Which) -> bool:
    """Whether the runs of these places begin at even distances, as dashes do.

    A run ends only at bare paper, because writing that touches a rule hides it for a short distance.
    """
    passed = np.cumsum(bare)[places]
    starts = places[np.diff(passed, prepend=passed[0] - 1) > 0]
    steps = np.diff(starts)
    if len(steps) < _STEPS:
        return False
    usual = float(np.median(steps))
    return bool((np.abs(steps - usual) <= _STRAY * usual + 1).mean() > _REGULAR)
