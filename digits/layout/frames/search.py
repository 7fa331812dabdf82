"""Finds the printed lines of a picture: tables and boxes, combs, ruled paper, or a cut-out cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits.ink.sheet import Grey
from digits.layout.frames.classification import Frames, Searched, classified
from digits.layout.frames.even_boxes import with_even_sides
from digits.layout.frames.hidden_sides import with_hidden_sides
from digits.layout.frames.lattice import chosen_of, cut_off
from digits.layout.frames.lone_lines import THROUGH
from digits.layout.frames.open_sides import with_open_sides
from digits.layout.frames.shared_sides import with_shared_sides
from digits.layout.frames.squared_paper import alike, are_squares, is_squared_paper, is_written_over
from digits.layout.frames.writing_lines import writing_lines
from digits.layout.rules.parallel import parallel
from digits.layout.rules.rule import Course, Rule, Rules, erased
from digits.layout.rules.scale import Scale
from digits.layout.rules.search import find_rules

_LONG = 0.12  # if all lines are below this share of the picture's longer side, none of them is printed
_THICKER = 1.8  # above this multiple of the thickness of the paper's lines, a rule is a pen stroke
_ROOM = 6  # pixels from the picture's edge, within which a rule ends at the edge
_NEARLY = 0.09  # the same for a line of the paper next to others, relative to the picture's side


def find_frames(dark: Grey, least: int) -> Frames:
    """The printed lines in a picture of darkness (height, width); paper is no darker than `least`."""
    mask = np.asarray(dark > least, np.uint8)
    searched = Searched(dark, mask, Scale.of(mask))
    rules = Rules(*(parallel(some) for some in find_rules(dark, mask, searched.scale, least)))
    if rules.longest < _LONG * max(mask.shape) and not any(rule.step for some in rules for rule in some):
        return Frames()  # all rules are short and none is dashed, so none is printed
    frames = _of_these(rules, searched)
    own = Rules(frames.all_horizontal(), frames.all_vertical())
    lines = writing_lines(_without(rules.horizontal, own.horizontal), own, mask)
    return replace(frames, other_horizontal=[*frames.other_horizontal, *lines]) if lines else frames


def _of_these(rules: Rules, searched: Searched) -> Frames:
    """The frames and the lines of the paper that these rules form."""
    dark, mask = searched.dark, searched.mask
    paper, inner = _parted(rules, mask.shape)
    if len(paper.horizontal) + len(paper.vertical) > 1:
        frames = _on_paper(paper, inner, searched)
        if frames.horizontal or frames.combs:
            return frames
    rules = with_hidden_sides(with_even_sides(rules, dark, searched.scale), mask, searched.scale)
    rules = with_open_sides(rules, mask.shape, searched.scale)
    frames = classified(rules, searched)
    if not paper.vertical and len(paper.horizontal) > 1 and _are_strokes(frames.vertical, paper.horizontal):
        return Frames(other_horizontal=paper.horizontal)
    squared = is_squared_paper(frames.horizontal, frames.vertical, dark.shape)
    # A table may fill the picture as squared paper does, but its cells are wide and writing keeps to them.
    squared = squared and are_squares(frames.horizontal, frames.vertical)
    if not squared and paper.horizontal and paper.vertical:
        squared = is_written_over(Rules(frames.all_horizontal(), frames.all_vertical()), mask)
    if squared:
        found = Rules(frames.all_horizontal(), frames.all_vertical())
        left = Rules(*(_without(some, own) for some, own in zip(rules, found, strict=True)))
        across, like = _across_corners(left, dark.shape), alike(left, found)
        horizontal = [
            *frames.horizontal,
            *frames.other_horizontal,
            *across.horizontal,
            *_without(like.horizontal, across.horizontal),
        ]
        vertical = [
            *frames.vertical,
            *frames.other_vertical,
            *across.vertical,
            *_without(like.vertical, across.vertical),
        ]
        frames = Frames(other_horizontal=horizontal, other_vertical=vertical, combs=frames.combs)
    if not (frames.other_horizontal or frames.other_vertical):
        return frames
    # There may be boxes on a sheet of squared paper that does not fill the picture.
    paper = Rules(frames.all_horizontal(), frames.all_vertical())
    left = Rules(*(_without(some, own) for some, own in zip(rules, paper, strict=True)))
    beneath = _on_paper(paper, left, searched)
    if is_squared_paper(beneath.horizontal, beneath.vertical, dark.shape) or not (
        beneath.combs or len(beneath.vertical) > 2
    ):
        return frames
    return Frames(
        [*frames.horizontal, *beneath.horizontal],
        [*frames.vertical, *beneath.vertical],
        _without(beneath.other_horizontal, frames.horizontal),
        _without(beneath.other_vertical, frames.vertical),
        [*frames.combs, *beneath.combs],
    )


def _are_strokes(vertical: Sequence[Rule], lines: Sequence[Rule]) -> bool:
    """Whether the vertical rules on ruled paper were drawn, because one is thicker than the paper's lines."""
    usual = float(np.median([line.thickness for line in lines]))
    return any(rule.thickness > _THICKER * usual + 1 for rule in vertical)


def _across_corners(rules: Rules, shape: tuple[int, ...]) -> Rules:
    """The rules that go from one edge of the picture to another, even across a corner."""

    def outside(rule: Rule, vertical: bool) -> bool:
        sides = shape if vertical else shape[::-1]
        most = max(_ROOM, THROUGH * min(shape))
        ends = [(place, float(rule.at(place))) for place in (rule.start, rule.end)]
        return all(
            min(along, sides[0] - 1 - along, across, sides[1] - 1 - across) <= most for along, across in ends
        )

    return Rules(*([rule for rule in rules[k] if outside(rule, k == 1)] for k in (0, 1)))


def _parted(rules: Rules, shape: tuple[int, ...]) -> tuple[Rules, Rules]:
    """The rules through the whole picture, as ruled and squared paper have them, and all other rules."""
    through = []
    for some, side in zip(rules, (shape[1], shape[0]), strict=True):
        whole, nearly = (cut_off(some, side, share).min(axis=1, initial=True) for share in (THROUGH, _NEARLY))
        through.append(nearly if np.count_nonzero(whole) > 1 else whole)
    paper = Rules(*(chosen_of(some, which) for some, which in zip(rules, through, strict=True)))
    return paper, Rules(*(chosen_of(some, ~which) for some, which in zip(rules, through, strict=True)))


def _without(rules: Sequence[Rule], others: Sequence[Rule]) -> list[Rule]:
    """The rules without `others`, which may be extended. A rule that is only partly in `others` is kept."""
    longest: dict[Course, float] = {}
    for other in others:
        longest[other.course] = max(other.length, longest.get(other.course, 0.0))
    return [rule for rule in rules if rule.length > longest.get(rule.course, 0.0)]


def _on_paper(paper: Rules, inner: Rules, searched: Searched) -> Frames:
    """The frames and combs that these inner rules form on ruled or squared paper."""
    inner = with_shared_sides(inner, paper, searched.mask, searched.scale)
    inner = with_even_sides(inner, searched.dark, searched.scale)
    inner = with_hidden_sides(inner, searched.mask, searched.scale)
    rules = Rules([*inner.horizontal, *paper.horizontal], [*inner.vertical, *paper.vertical])
    own = (
        np.arange(len(rules.horizontal)) >= len(inner.horizontal),
        np.arange(len(rules.vertical)) >= len(inner.vertical),
    )
    found = classified(rules, replace(searched, mask=erased(searched.mask, paper)), own)
    return replace(
        found,
        other_horizontal=_without([*paper.horizontal, *found.other_horizontal], found.horizontal),
        other_vertical=_without([*paper.vertical, *found.other_vertical], found.vertical),
    )
