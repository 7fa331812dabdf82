"""Finds the straight printed lines of a picture.

A printed line has two long straight edges next to each other, with ink between them and paper on both sides.
A pen stroke may have them, too. `frames` distinguishes the two by their context.
"""

# See docs/decisions/printed-lines.md.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.ink.sheet import Grey, transposed
from digits.layout.rules.dashes import dashed_rules, dashes_of
from digits.layout.rules.edges import Chain, Edges, Pair, edges_of, paired
from digits.layout.rules.merging import merged
from digits.layout.rules.profile import measured
from digits.layout.rules.rule import Mask, Rule, Rules, fitted_each, heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.segments import Segments, find_segments

_SLIM = 0.15  # greatest thickness of a rule, relative to its length
_COARSE = 4.0  # pixels: the stroke width at the coarse scale, at which rules are searched, too
_FINE = 0.6  # scale below which the coarse scale is used
_CROSSED = 3  # least number of crossed rules between which a row of dashes may be digits in cells
_CELLS = 2.0  # least length of these rules, relative to the steps of the row
_ONE = 0.6  # above this share of the spacing of these rules, the steps are those of digits
_SAMPLES = 25  # places between two edges at which the line between them is measured


def find_rules(dark: Grey, mask: Mask, scale: Scale, least: int) -> Rules:
    """All straight thin lines in a picture of darkness (height, width); `mask` is 1 where there is ink."""
    found = Rules([], [])
    on_its_side = transposed(dark)
    # Soft edges of a blurred picture show only at a coarse scale, and thin rules only at a fine one.
    coarse = _COARSE / scale.stroke
    for size in (1.0, coarse) if coarse < _FINE else (1.0,):
        horizontal, vertical = find_segments(dark, least, size)
        found.horizontal.extend(_rules(horizontal, dark, scale))
        found.vertical.extend(_rules(vertical, on_its_side, scale))
    found = Rules(merged(found.horizontal, scale), merged(found.vertical, scale))
    dashes = dashes_of(mask, dark, scale)
    if dashes is not None:
        dashed = dashed_rules(dashes, dark, scale, least)
        dashed = Rules(
            [rule for rule in dashed.horizontal if not _is_in_cells(rule, found.vertical)],
            [rule for rule in dashed.vertical if not _is_in_cells(rule, found.horizontal)],
        )
        found = Rules(*(merged([*some, *more], scale) for some, more in zip(found, dashed, strict=True)))
    return found


def _is_in_cells(rule: Rule, others: Sequence[Rule]) -> bool:
    """Whether a dashed rule has only one dash between the rules that it crosses, as digits in cells do."""
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
    """The horizontal rules between these edges."""
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
            break  # else try again with shorter edges, because two lines may follow each other
    return merged([rule for rule in found if rule is not None], scale)


def _between(groups: Sequence[Sequence[Pair]], edges: Edges, scale: Scale) -> list[Rule | None]:
    """The rule between each group of edges that belong together; None if it is not a thin line."""
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
    # The pairs of each group are successive.
    count = np.array([len(group) for group in groups])
    begin = np.cumsum(count) - count
    start = np.minimum.reduceat(np.minimum(edges.start[above], edges.start[below]), begin)
    end = np.maximum.reduceat(np.maximum(edges.end[above], edges.end[below]), begin)
    thickness = np.add.reduceat(apart * length, begin) / np.add.reduceat(length, begin) - 0.5
    order = np.arange(count.max())
    pair = np.minimum(begin[:, None] + order, len(above) - 1)
    # A short pair gets little weight, because writing that touches the rule may cause one.
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
