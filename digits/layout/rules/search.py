"""Finds the straight printed lines of a picture.

A printed line has two long straight edges beside each other, with ink between them and paper on both sides.
So may a stroke of a pen: `frames` tells the two apart by their company.
"""

# Why it is so: docs/decisions/printed-lines.md
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.ink.sheet import Grey, turned
from digits.layout.rules.dashes import dashed_rules, dashes_of
from digits.layout.rules.edges import Chain, Edges, Pair, edges_of, paired
from digits.layout.rules.merging import merged
from digits.layout.rules.profile import measured
from digits.layout.rules.rule import Mask, Rule, Rules, fitted_each, heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.segments import Segments, find_segments

_SLIM = 0.15  # of its length: a rule is no thicker
_COARSE = 4.0  # pixels: a stroke's width at the coarse scale at which rules are looked for too,
_FINE = 0.6  # if it is coarser than this
_CROSSED = 3  # rules at least between which a row of digits stands,
_CELLS = 2.0  # steps from digit to digit, or longer,
_ONE = 0.6  # of the way between two of them: shorter steps are of dashes
_SAMPLES = 25  # places between two edges at which the line between them is looked for


def find_rules(dark: Grey, mask: Mask, scale: Scale, least: int) -> Rules:
    """All thin straight lines in a picture of darkness (height, width); `mask` is where its ink is."""
    found = Rules([], [])
    on_its_side = turned(dark)
    # The soft edges of a blurred picture are seen at a coarse scale only, and thin rules at a fine one.
    coarse = _COARSE / scale.stroke
    for size in (1.0, coarse) if coarse < _FINE else (1.0,):
        lying, standing = find_segments(dark, least, size)
        found.lying.extend(_rules(lying, dark, scale))
        found.standing.extend(_rules(standing, on_its_side, scale))
    found = Rules(merged(found.lying, scale), merged(found.standing, scale))
    dashes = dashes_of(mask, dark, scale)
    if dashes is not None:
        dashed = dashed_rules(dashes, dark, scale, least)
        dashed = Rules(
            [rule for rule in dashed.lying if not _is_in_cells(rule, found.standing)],
            [rule for rule in dashed.standing if not _is_in_cells(rule, found.lying)],
        )
        found = Rules(*(merged([*some, *more], scale) for some, more in zip(found, dashed, strict=True)))
    return found


def _is_in_cells(rule: Rule, others: Sequence[Rule]) -> bool:
    """Whether a dashed rule has but one dash between each two others that it crosses: digits in cells."""
    here = float(rule.at(rule.middle))
    crossed = sorted(
        place
        for other in others
        if other.length > _CELLS * rule.step
        and other.start <= here <= other.end
        and rule.start <= (place := float(other.at(here))) <= rule.end
    )
    return len(crossed) >= _CROSSED and rule.step > _ONE * float(np.median(np.diff(crossed)))


def _rules(segments: Segments, dark: Grey, scale: Scale) -> list[Rule]:
    """The lying rules between these edges."""
    found: list[Rule | None] = []
    known: dict[frozenset[tuple[Chain, Chain]], Rule | None] = {}

    def between(groups: Sequence[Sequence[Pair]], edges: Edges) -> list[Rule | None]:
        names = [frozenset((edges.chains[one], edges.chains[two]) for one, two in group) for group in groups]
        new = {name: group for name, group in zip(names, groups, strict=True) if name not in known}
        whole = _between(list(new.values()), edges, scale)
        rules = measured(whole, dark)
        if most < np.inf:
            lost = [None if rule else piece for piece, rule in zip(whole, rules, strict=True)]
            rules = [
                rule or piece for rule, piece in zip(rules, measured(lost, dark, alone=True), strict=True)
            ]
        known.update(zip(new, rules, strict=True))
        return [known[name] for name in names]

    for most in (np.inf, scale.gap):
        edges = edges_of(segments, scale, most)
        groups = paired(edges, scale)
        rules = between(groups, edges)
        # Two lines that touch share edges.
        parted = (group for group, rule in zip(groups, rules, strict=True) if rule is None and len(group) > 1)
        found.extend([*rules, *between([[pair] for group in parted for pair in group], edges)])
        if None not in rules:
            break  # else pieces of edges are looked at: two lines may follow each other
    return merged([rule for rule in found if rule is not None], scale)


def _between(groups: Sequence[Sequence[Pair]], edges: Edges, scale: Scale) -> list[Rule | None]:
    """The rules between edges that belong together, where they are thin lines."""
    if not groups:
        return []
    above, below = np.array([pair for group in groups for pair in group]).T
    first, last = (
        np.maximum(edges.start[above], edges.start[below]),
        np.minimum(edges.end[above], edges.end[below]),
    )
    length = last - first
    places = first[:, None] + length[:, None] * np.linspace(0, 1, _SAMPLES)
    top, bottom = (heights(edges.course[some][:, None], places) for some in (above, below))
    apart = np.median(bottom - top, axis=1)
    # Each group is a row of pairs.
    count = np.array([len(group) for group in groups])
    begin = np.cumsum(count) - count
    start = np.minimum.reduceat(np.minimum(edges.start[above], edges.start[below]), begin)
    end = np.maximum.reduceat(np.maximum(edges.end[above], edges.end[below]), begin)
    thickness = np.add.reduceat(apart * length, begin) / np.add.reduceat(length, begin) - 0.5
    order = np.arange(count.max())
    pair = np.minimum(begin[:, None] + order, len(above) - 1)
    # A short pair says little about where the rule lies: writing that touches it may make one.
    weights = np.where(order < count[:, None], length[pair] ** 2, 0.0).repeat(_SAMPLES, axis=1)
    courses = fitted_each(
        places[pair].reshape(len(groups), -1),
        ((top + bottom) / 2)[pair].reshape(len(groups), -1),
        end - start > 3 * scale.shortest,
        weights,
    )
    thin = (end - start >= scale.shortest - scale.gap) & (thickness <= _SLIM * (end - start))
    columns = start, end, courses, np.maximum(1.0, thickness), thin
    return [
        Rule(first, last, (square, slope, offset), thick, 1.0) if ok else None
        for first, last, (square, slope, offset), thick, ok in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
