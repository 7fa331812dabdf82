"""How dark a line is along its course, beside the paper on both sides: how far it goes, and if in dashes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.rules.rule import Course, Rule, fitted, heights

Levels = NDArray[np.int32]

_BENT = 0.02  # of a rule's length: how far a page may bend it
_ASIDE = 3  # pixels from a rule's edge: there is the paper that it is compared with
_CLOSE = 1  # pixel from it: there is paper even between two rules that nearly touch
_FAINTEST = 4  # of 255: a rule's contrast
_OWN = 0.4  # of a rule's usual contrast: what has less is paper
_PAPER = 1.5  # a place of bare paper weighs so much against one of ink, where a rule is followed on
_THINNED = 0.5  # times the usual share of ink to paper on a dashed rule: so little there may be of it
_ALONE = 0.3  # of a rule's length that nothing crosses
_UNBROKEN = 0.8  # of a solid rule's length that shows ink, where nothing crosses it
_COVERED = 0.42  # of a dashed one
_STEPS = 3  # from dash to dash, at least
_STRAY = 0.3  # of the distance of dashes: how far it strays
_REGULAR = 0.5  # of the dashes that do not stray further
_SAMPLES = 150  # places at which a rule's middle is looked for


def is_straight(course: Course, length: float) -> bool:
    """Whether this course is bent no more than a page bends a rule of this length."""
    return abs(course[0]) * length**2 / 4 <= _BENT * length + 2


def measured(rule: Rule, dark: Grey) -> Rule | None:
    """The rule as far as it shows ink, and the share of it that does, if that is enough."""
    if not is_straight(rule.course, rule.length):
        return None
    places, ridge, on, paper = _profile(rule, dark)
    along = (places >= rule.start) & (places <= rule.end)
    seen = ridge[along & (ridge > _FAINTEST)]
    if len(seen) < _ALONE * np.count_nonzero(along):
        return None
    own = float(np.median(seen))
    inked = ridge >= _OWN * own
    bare = ~inked & (on < _OWN * own + paper)
    first, last = _reach(inked, bare, along)
    if last - first < 3:
        return None
    own_places = first + np.flatnonzero(inked[first : last + 1])
    paper_places = int(np.count_nonzero(bare[first : last + 1]))
    covered = len(own_places) / max(1, len(own_places) + paper_places)
    dashed = rule.dashed or covered < _UNBROKEN
    if covered < _COVERED or (dashed and not _is_even(own_places, bare)):
        return None
    course = _recentred(rule, places[own_places], dark)
    return Rule(float(places[first]), float(places[last]), course, rule.thickness, covered, dashed)


def followed(rule: Rule, dark: Grey) -> Rule | None:
    """A dashed rule as far as there are dashes on it, of which writing may touch or hide some."""
    places, ridge, on, paper = _profile(rule, dark)
    along = (places >= rule.start) & (places <= rule.end)
    if not along.any() or not is_straight(rule.course, rule.length):
        return None
    own = max(float(_FAINTEST), float(np.quantile(ridge[along], 1 - rule.covered / 2)))
    inked = ridge >= _OWN * own
    bare = ~inked & (on < _OWN * own + paper)
    ink, gaps = int(np.count_nonzero(inked & along)), int(np.count_nonzero(bare & along))
    if not ink:
        return None
    # It goes on while dashes are at least half as many to the gaps between them as they usually are.
    first, last = _reach(inked, bare, along, min(_PAPER, _THINNED * ink / max(gaps, 1)))
    return replace(rule, start=float(places[first]), end=float(places[last]))


def _recentred(rule: Rule, places: NDArray[np.intp], dark: Grey) -> Course:
    """The course through the middle of a rule's ink at these places."""
    places = places[:: max(1, len(places) // _SAMPLES)]
    reach = int(rule.thickness / 2) + _ASIDE
    offsets = np.arange(-reach, reach + 1)
    rows = np.rint(_along(rule, places)).astype(int)[None] + offsets[:, None]
    levels = dark[np.clip(rows, 0, len(dark) - 1), places[None]].astype(np.float64)
    levels -= np.maximum(levels[0], levels[-1])  # paper
    weights = np.maximum(levels, 0.0)
    total = weights.sum(axis=0)
    seen = total > 0
    if np.count_nonzero(seen) < len(places) / 2:
        return rule.course
    middle = rows[reach] + (offsets @ weights) / np.maximum(total, 1e-9)
    x, y = places[seen].astype(float), middle[seen]
    bent = rule.course[0] != 0.0
    course = fitted(x, y, bent)
    off = np.abs(heights(np.array(course), x) - y)
    near = off <= max(1.0, 2.0 * float(np.median(off)))
    return fitted(x[near], y[near], bent) if np.count_nonzero(near) > 3 else course


def _along(rule: Rule, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where a rule lies across its direction, beyond its ends where it would go on straight."""
    within = np.clip(places, rule.start, rule.end).astype(float)
    return np.asarray(rule.at(within) + (places - within) * rule.slope, np.float64)


def _profile(rule: Rule, dark: Grey) -> tuple[NDArray[np.intp], Levels, Levels, Levels]:
    """Places along a rule, from edge to edge of the picture: how much darker it is there than beside it, how
    dark it is, and how dark the lighter side of it."""
    height, width = dark.shape
    every = np.arange(width)
    middle = _along(rule, every)
    places = every[(middle >= 0) & (middle <= height - 1)]
    middle = middle[places]

    def level(across: NDArray[np.float64]) -> Levels:
        return np.asarray(dark[np.clip(np.rint(across).astype(int), 0, height - 1), places], np.int32)

    near, aside = rule.thickness / 2 + _CLOSE, rule.thickness / 2 + _ASIDE
    on = np.maximum.reduce([level(middle - 1), level(middle), level(middle + 1)])
    # Between a rule and one close beside it there may be a pixel of paper only.
    beside = [np.minimum(level(middle + side * near), level(middle + side * aside)) for side in (-1, 1)]
    return places, on - np.maximum(*beside), on, np.minimum(*beside)


def _reach(
    inked: NDArray[np.bool_], bare: NDArray[np.bool_], along: NDArray[np.bool_], weight: float = _PAPER
) -> tuple[int, int]:
    """The first and the last place of a rule that goes on while there is more ink than paper, so weighed."""
    own = np.flatnonzero(along & inked)
    if not len(own):
        return 0, 0
    gain = inked - weight * bare
    after, before = np.cumsum(gain[own[-1] :]), np.cumsum(gain[own[0] :: -1])
    return int(own[0] - np.argmax(before)), int(own[-1] + np.argmax(after))


def _is_even(places: NDArray[np.intp], bare: NDArray[np.bool_]) -> bool:
    """Whether the runs among these places begin at even distances, as dashes do.

    A run ends at bare paper: writing that touches a rule hides it for a little way.
    """
    passed = np.cumsum(bare)[places]
    starts = places[np.diff(passed, prepend=passed[0] - 1) > 0]
    steps = np.diff(starts)
    if len(steps) < _STEPS:
        return False
    usual = float(np.median(steps))
    return bool((np.abs(steps - usual) <= _STRAY * usual + 1).mean() > _REGULAR)
