"""Finds sides of boxes and bases of combs that are part of a longer line of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits.layout.frames.lattice import usual_gap
from digits.layout.rules.rule import Mask, Rule, Rules
from digits.layout.rules.scale import Scale

_ENDING = 4  # least number of rules of one length that end at a line, since fewer may be pen strokes
_ALIKE = 0.2  # greatest difference in length, relative to their usual length
_THICKER = 1.4  # above this multiple of the thickness of the line, a rule was written on it
_BEYOND = 0.3  # above this length beyond these rules, relative to their spacing, a line is the paper's
_HEAVIER = 1.2  # least ink where two lines lie on each other, relative to the ink elsewhere


def with_shared_sides(inner: Rules, paper: Rules, mask: Mask, scale: Scale) -> Rules:
    """The inner rules, and those parts of all lines at which many of them end."""
    horizontal, vertical = inner
    return Rules(
        [*horizontal, *_sides_in([*paper.horizontal, *horizontal], vertical, mask, scale)],
        [
            *vertical,
            *_sides_in([*paper.vertical, *vertical], horizontal, np.ascontiguousarray(mask.T), scale),
        ],
    )


def _sides_in(lines: Sequence[Rule], others: Sequence[Rule], mask: Mask, scale: Scale) -> list[Rule]:
    """The parts of these horizontal lines at which many of the others, which are vertical, begin or end."""
    found = []
    for line in lines:
        thin = [rule for rule in others if rule.thickness <= _THICKER * line.thickness + 1]
        near = 0.5 * (line.thickness + scale.stroke) + 2
        for ends in ([rule.start for rule in thin], [rule.end for rule in thin]):
            met = [
                (rule.length, place)
                for rule, end in zip(thin, ends, strict=True)
                if line.start - near <= (place := float(rule.at(end))) <= line.end + near
                and abs(float(line.at(place)) - end) <= near
            ]
            usual = float(np.median([length for length, _ in met])) if met else 0.0
            places = sorted(place for length, place in met if abs(length - usual) <= _ALIKE * usual)
            if len(places) < _ENDING:
                continue
            side = replace(line, start=places[0], end=places[-1])
            beyond = max(side.start - line.start, line.end - side.end)
            if beyond > _BEYOND * usual_gap(np.array(places)) and _is_heavier(side, line, mask, near):
                found.append(side)
    return found


def _is_heavier(side: Rule, line: Rule, mask: Mask, near: float) -> bool:
    """Whether there is more ink along a part of a horizontal line than along the rest of it."""
    places = np.arange(max(0, int(line.start)), min(mask.shape[1], int(line.end) + 1))
    rows = np.rint(line.at(places.astype(float)))[None] + np.arange(-int(near), int(near) + 1)[:, None]
    ink = mask[np.clip(rows.astype(int), 0, len(mask) - 1), places[None]].sum(axis=0)
    own = (places >= side.start) & (places <= side.end)
    return bool(own.any() and np.median(ink[own]) >= _HEAVIER * np.median(ink[~own]))
