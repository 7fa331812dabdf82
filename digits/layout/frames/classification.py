"""Classifies the lines of a picture as lines of frames, of combs and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.frames.combs import Comb, comb_on
from digits.layout.frames.completing import extended, extended_in_ink
from digits.layout.frames.faint_rules import faint_rules
from digits.layout.frames.lattice import Chosen, Lattice, chosen_of
from digits.layout.frames.lone_lines import lone, long_beside
from digits.layout.frames.pen_strokes import corners, missing_between_boxes, without_loops, without_strokes
from digits.layout.frames.ruled_pages import off_ruled_pages
from digits.layout.rules.rule import Mask, Rule, Rules, erased
from digits.layout.rules.scale import Scale

_GRID = 3  # least number of rules in both directions
# A rule ends at another one if its end is at most the sum of these two distances from it.
_AT_END = 6  # pixels
_NEAR_END = 0.04  # relative to the length of the rule that ends
_SIDE = 3  # least number of rules that end at a line of the paper, if it is a side of their frame
# Rules that cross a table's line: least number, and least reach beyond it, relative to the line's length.
_CROSSED, _THROUGH = 3, 0.1
_BASES = 8  # greatest number of lines that are examined as the base of a comb


@dataclass(frozen=True)
class Searched:
    """A picture in which lines are searched: its darkness, and the mask of its ink, both (height, width)."""

    dark: Grey
    mask: Mask
    scale: Scale


@dataclass(frozen=True)
class Frames:
    """The printed lines of a picture by direction: those of frames (tables, boxes), combs, and the others."""

    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)
    other_horizontal: list[Rule] = field(default_factory=list)
    other_vertical: list[Rule] = field(default_factory=list)
    combs: list[Comb] = field(default_factory=list)

    def all_horizontal(self) -> list[Rule]:
        """All horizontal lines."""
        return [*self.horizontal, *self.other_horizontal, *(comb.base for comb in self.combs)]

    def all_vertical(self) -> list[Rule]:
        """All vertical lines."""
        teeth = [tooth for comb in self.combs for tooth in comb.teeth]
        return [*self.vertical, *self.other_vertical, *teeth]


def classified(rules: Rules, searched: Searched, paper: tuple[Chosen, Chosen] | None = None) -> Frames:
    """Classify lines as lines of frames, combs and others, without pen strokes.

    `paper` are the lines of the paper.
    """
    mask, scale = searched.mask, searched.scale
    height, width = mask.shape
    horizontal, vertical = rules
    lattice = Lattice(horizontal, vertical, (height, width), scale)
    rows, columns = _in_frames(lattice, mask, paper)
    if rows.sum() >= _GRID <= columns.sum():
        # A faint rule is often found only in part, so it is extended as far as the others.
        horizontal, _ = extended(horizontal, chosen_of(vertical, columns))
        _, vertical = extended(chosen_of(rules.horizontal, rows), vertical)
        lattice = Lattice(horizontal, vertical, (height, width), scale)
        rows, columns = _in_frames(lattice, mask, paper)
    frame = extended_in_ink(
        *extended(chosen_of(horizontal, rows), chosen_of(vertical, columns)), searched.dark
    )
    own = paper or (np.zeros(len(horizontal), bool), np.zeros(len(vertical), bool))
    others = chosen_of(horizontal, own[0]), chosen_of(vertical, own[1])
    for group in lattice.frames(rows, columns):
        on_lines = bool(others[0]), bool(others[1])
        found = faint_rules(
            searched.dark, [horizontal[k] for k in group[0]], [vertical[k] for k in group[1]], on_lines
        )
        frame[0].extend(found[0])
        frame[1].extend(found[1])
    frame = frame[0], [*frame[1], *missing_between_boxes(*frame)]
    free = rows | lattice.meets[:, columns].any(axis=1) | own[0]
    # The base of a comb may also be the lower side of a box.
    boxes = [group for group in lattice.frames(rows, columns) if len(group[0]) == len(group[1]) == 2]
    lower = [max((horizontal[k] for k in group[0]), key=lambda rule: rule.at(rule.middle)) for group in boxes]
    single = chosen_of(vertical, ~own[1])
    bases = [rule for rule in chosen_of(horizontal, ~free) if not _is_crossed(rule, single)]
    combs = _combs([*bases, *lower], vertical, mask, scale)
    combs = off_ruled_pages(combs, horizontal, scale)
    bases = [comb.base for comb in combs]
    if combs and not frame[0]:
        courses = {base.course for base in bases}
        return Frames(
            other_horizontal=[rule for rule in horizontal if rule.course in courses and rule not in bases],
            combs=combs,
        )
    if not rows.any() and paper is None:
        rows, columns = corners(lattice, mask)
        frame = extended(chosen_of(horizontal, rows), chosen_of(vertical, columns))
    left = [rule for rule in chosen_of(horizontal, ~rows) if rule not in bases], chosen_of(vertical, ~columns)
    others = long_beside(frame[0], left[0], width), long_beside(frame[1], left[1], height)
    if not frame[0]:
        writing = erased(mask, Rules(*others))
        others = lone(others[0], writing, horizontal=True), lone(others[1], writing.T, horizontal=False)
    return Frames(frame[0], frame[1], others[0], others[1], combs)


def _is_crossed(base: Rule, vertical: Sequence[Rule]) -> bool:
    """Whether several rules cross a horizontal one, which is then a line of a table and not a comb's base."""
    beyond = _THROUGH * base.length

    def goes_through(rule: Rule) -> bool:
        place = float(rule.at(rule.middle))
        within = base.start <= place <= base.end
        return within and rule.start + beyond < float(base.at(place)) < rule.end - beyond

    return sum(map(goes_through, vertical)) >= _CROSSED


def _combs(bases: Sequence[Rule], vertical: Sequence[Rule], mask: Mask, scale: Scale) -> list[Comb]:
    """The combs on these horizontal rules, the longest first, except within the fields of another comb."""
    combs: list[Comb] = []
    for base in sorted(bases, key=lambda rule: -rule.length)[:_BASES]:
        if base.length > 3 * scale.shortest and not any(other.holds(base) for other in combs):
            comb = comb_on(base, vertical, mask, scale)
            combs += [] if comb is None else [comb]
    return combs


def _in_frames(lattice: Lattice, mask: Mask, paper: tuple[Chosen, Chosen] | None) -> tuple[Chosen, Chosen]:
    """Which horizontal and which vertical rules belong to frames."""
    everything = np.ones(len(lattice.horizontal), bool), np.ones(len(lattice.vertical), bool)
    if paper is not None:
        rows, columns = lattice.core(~paper[0], ~paper[1], edges=False, paper=paper)
        rows |= paper[0] & _ended_at(lattice.vertical, lattice.y.T, lattice.meets.T, columns)
        columns |= paper[1] & _ended_at(lattice.horizontal, lattice.x, lattice.meets, rows)
    else:
        rows, columns = lattice.core(*everything, edges=False)
        if not rows.any():
            rows, columns = lattice.core(*everything, edges=True)
    columns = without_strokes(lattice, rows, columns)
    return without_loops(lattice, rows, columns, mask)


def _ends_near(rules: Sequence[Rule], places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each rule begins or ends near each of these places (one row for each rule)."""
    start = np.array([rule.start for rule in rules]).reshape(-1, 1)
    end = np.array([rule.end for rule in rules]).reshape(-1, 1)
    near = np.minimum(np.abs(places - start), np.abs(places - end)) <= _AT_END + _NEAR_END * (end - start)
    return np.asarray(near)


def _ended_at(
    rules: Sequence[Rule], places: NDArray[np.float64], meets: NDArray[np.bool_], chosen: Chosen
) -> Chosen:
    """Which rules of the other direction at least three of the chosen rules end at."""
    near = _ends_near(rules, places)
    return np.asarray((near & meets & chosen[:, None]).sum(axis=0) >= _SIDE)
