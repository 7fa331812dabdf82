"""Finds the straight printed lines of a picture.

A printed line has two long straight edges beside each other, with ink between them and paper on both sides.
So may a stroke of a pen: `frames` tells the two apart by their company.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digits.ink.sheet import Grey
from digits.layout.rules.dashes import dashed_rules, dashes_of
from digits.layout.rules.edges import Edge, edges_of, paired
from digits.layout.rules.merging import merged
from digits.layout.rules.profile import measured
from digits.layout.rules.rule import Mask, Rule, Rules, fitted, heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.segments import Segments, find_segments

_SLIM = 0.15  # of its length: a rule is no thicker
_COARSE = 4.0  # pixels: a stroke's width at the coarse scale at which rules are looked for too,
_FINE = 0.6  # if it is coarser than this


def find_rules(dark: Grey, mask: Mask, scale: Scale, least: int) -> Rules:
    """All thin straight lines in a picture of darkness (height, width); `mask` is where its ink is."""
    found = Rules([], [])
    turned = np.ascontiguousarray(dark.T)
    # The soft edges of a blurred picture are seen at a coarse scale only, and thin rules at a fine one.
    coarse = _COARSE / scale.stroke
    for size in (1.0, coarse) if coarse < _FINE else (1.0,):
        lying, standing = find_segments(dark, least, size)
        found.lying.extend(_rules(lying, dark, scale))
        found.standing.extend(_rules(standing, turned, scale))
    found = Rules(merged(found.lying, scale), merged(found.standing, scale))
    dashes = dashes_of(mask, scale)
    if dashes is not None:
        dashed = dashed_rules(dashes, dark, scale)
        found = Rules(*(merged([*some, *more], scale) for some, more in zip(found, dashed, strict=True)))
    return found


def _rules(segments: Segments, dark: Grey, scale: Scale) -> list[Rule]:
    """The lying rules between these edges."""
    found: list[Rule] = []
    failed = False
    for most in (np.inf, scale.gap):
        for pairs in paired(list(edges_of(segments, scale, most)), scale):
            rule = _rule_between(pairs, dark, scale)
            if rule is None and len(pairs) > 1:  # two lines that touch share edges
                found.extend(rule for pair in pairs if (rule := _rule_between([pair], dark, scale)))
            elif rule is not None:
                found.append(rule)
            failed |= rule is None
        if not failed:
            break  # else pieces of edges are looked at: two lines may follow each other
    return merged(found, scale)


def _rule_between(pairs: Sequence[tuple[Edge, Edge]], dark: Grey, scale: Scale) -> Rule | None:
    """The rule between these edges, if it is a thin line on paper."""
    start = min(edge.start for pair in pairs for edge in pair)
    end = max(edge.end for pair in pairs for edge in pair)
    length = end - start
    places, across = [], []
    apart: list[float] = []
    lengths: list[float] = []
    for above, below in pairs:
        first, last = max(above.start, below.start), min(above.end, below.end)
        own = np.linspace(first, last, max(3, int((last - first) / 8)))
        top, bottom = (heights(np.array(edge.course), own) for edge in (above, below))
        places.append(own)
        across.append((top + bottom) / 2)
        apart.append(float(np.median(bottom - top)))
        lengths.append(last - first)
    thickness = max(1.0, float(np.average(apart, weights=lengths)) - 0.5)
    if length < scale.shortest - scale.gap or thickness > _SLIM * length:
        return None
    course = fitted(np.concatenate(places), np.concatenate(across), length > 3 * scale.shortest)
    rule = Rule(start, end, course, thickness, 1.0)
    return measured(rule, dark)
