"""The printed lines of a picture: of tables and boxes, of combs, of ruled paper, and of a cut-out cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.combs import Comb, comb_on
from digits.layout.lattice import Chosen, Lattice, cut_off, is_squared_paper, weighted_median
from digits.layout.pen_strokes import without_loops, without_strokes
from digits.layout.rules import Mask, Rule, Scale, dashes_of, find_rules

_DARKER = 2  # times the faintest ink: where printed lines are looked for too
_COARSER = 1.8  # times: the second scale that is tried
_PARALLEL = float(np.tan(np.deg2rad(5)))  # rules of one direction that are near each other lean no more apart
_LONG = 0.12  # of the picture's longer side: where all lines are shorter, none is printed
_THROUGH = 0.04  # of the picture's side: a line of the paper may end so far from its edge
_RULED = 0.45  # of the picture's side: a line beside frames is longer
_BASES = 8  # lines at most that may be the base of a comb
_UNBROKEN = 0.85  # of such a line that shows ink
_ACROSS = 0.6  # of the picture's width: a line of ruled paper that does not run through is longer
_LINE = 0.1  # of its length: a line is no thicker
_LONGER = 0.04  # of the writing's extent: a lone line goes on so far on both sides of it
_BESIDE = 0.4  # of a standing line's length: the writing beside it is so high
_ASIDE = 0.12  # of the writing's extent: how far from its rim a lone line lies


@dataclass(frozen=True)
class Frames:
    """The printed lines of a picture, by direction: of frames (tables, boxes), combs, and the others."""

    lying: list[Rule] = field(default_factory=list)
    standing: list[Rule] = field(default_factory=list)
    other_lying: list[Rule] = field(default_factory=list)
    other_standing: list[Rule] = field(default_factory=list)
    combs: list[Comb] = field(default_factory=list)

    @property
    def seen(self) -> tuple[float, float]:
        """How many pixels of frames and combs there are, along them, and how many of other lines."""
        combs = [rule for comb in self.combs for rule in (comb.base, *comb.teeth)]
        return (
            sum(rule.length * rule.covered for rule in (*self.lying, *self.standing, *combs)),
            sum(rule.length * rule.covered for rule in (*self.other_lying, *self.other_standing)),
        )

    def all_lying(self) -> list[Rule]:
        """All lines that lie."""
        return [*self.lying, *self.other_lying, *(comb.base for comb in self.combs)]

    def all_standing(self) -> list[Rule]:
        """All lines that stand."""
        teeth = [tooth for comb in self.combs for tooth in comb.teeth]
        return [*self.standing, *self.other_standing, *teeth]


def find_frames(dark: Grey, least: int) -> Frames:
    """The printed lines in a picture of darkness (height, width), where paper is no darker than `least`."""
    masks = [np.asarray(dark > level, np.uint8) for level in (least, _DARKER * least)]
    frames = _best(masks)
    if is_squared_paper(frames.lying, frames.standing, dark.shape):
        lying = [*frames.lying, *frames.other_lying]
        standing = [*frames.standing, *frames.other_standing]
        frames = Frames(other_lying=lying, other_standing=standing, combs=frames.combs)
    if not (frames.other_lying or frames.other_standing):
        return frames
    # Boxes on ruled or squared paper are found when the paper's own lines are gone.
    beneath = _best([_wiped(mask, frames) for mask in masks])
    if is_squared_paper(beneath.lying, beneath.standing, dark.shape) or not (
        beneath.combs or len(beneath.standing) > 2
    ):
        return frames
    return Frames(
        [*frames.lying, *beneath.lying],
        [*frames.standing, *beneath.standing],
        [*frames.other_lying, *beneath.other_lying],
        [*frames.other_standing, *beneath.other_standing],
        [*frames.combs, *beneath.combs],
    )


def _best(masks: Sequence[Mask]) -> Frames:
    """The lines in the mask, and at the scale, that shows most of them."""
    best = Frames()
    for mask in masks:
        scale = Scale.of(mask)
        for each in (scale, Scale(_COARSER * scale.stroke)):
            found = Rules.of(mask, each)
            if found.longest < _LONG * max(mask.shape):
                return best  # all is short: there are no printed lines
            best = max(best, _sorted_out(found, mask, each), key=lambda frames: frames.seen)
    return best


class Rules(NamedTuple):
    """All thin straight lines of a picture, by direction."""

    lying: list[Rule]
    standing: list[Rule]

    @classmethod
    def of(cls, mask: Mask, scale: Scale) -> Rules:
        dashes = dashes_of(mask, scale)
        turned = None if dashes is None else np.ascontiguousarray(dashes.T)
        return cls(
            _parallel(find_rules(mask, dashes, scale)),
            _parallel(find_rules(np.ascontiguousarray(mask.T), turned, scale)),
        )

    @property
    def longest(self) -> float:
        return max((rule.length for rule in (*self.lying, *self.standing)), default=0.0)


def _sorted_out(rules: Rules, mask: Mask, scale: Scale) -> Frames:
    """What each of these lines belongs to; strokes of a pen left out."""
    height, width = mask.shape
    lying, standing = rules
    lattice = Lattice(lying, standing, (height, width), scale)
    rows, columns = _in_frames(lattice, mask, scale)
    frame = _chosen(lying, rows), _chosen(standing, columns)
    free = rows | lattice.meets[:, columns].any(axis=1)
    combs = [
        comb
        for base in sorted(_chosen(lying, ~free), key=lambda rule: -rule.length)[:_BASES]
        if base.length > 3 * scale.shortest and (comb := comb_on(base, mask, scale)) is not None
    ]
    if combs and not frame[0]:
        return Frames(combs=combs)
    bases = [comb.base for comb in combs]
    left = [rule for rule in _chosen(lying, ~rows) if rule not in bases], _chosen(standing, ~columns)
    others = _long(frame[0], left[0], width), _long(frame[1], left[1], height)
    if not frame[0]:
        writing = _wiped(mask, Frames(other_lying=others[0], other_standing=others[1]))
        others = _lone(others[0], writing, lying=True), _lone(others[1], writing.T, lying=False)
    return Frames(frame[0], frame[1], others[0], others[1], combs)


def _in_frames(lattice: Lattice, mask: Mask, scale: Scale) -> tuple[Chosen, Chosen]:
    """Which lying and which standing rules are of frames."""
    height, width = mask.shape
    inner = [
        ~cut_off(rules, side, _THROUGH).min(axis=1, initial=True)
        for rules, side in ((lattice.lying, width), (lattice.standing, height))
    ]
    rows, columns = lattice.core(inner[0], inner[1], edges=False)
    if not rows.any():
        everything = np.ones(len(lattice.lying), bool), np.ones(len(lattice.standing), bool)
        rows, columns = lattice.core(*everything, edges=True)
    columns = without_strokes(lattice, rows, columns, scale)
    return without_loops(lattice, rows, columns, mask)


def _chosen(rules: Sequence[Rule], which: Chosen) -> list[Rule]:
    return [rule for rule, ok in zip(rules, which, strict=True) if ok]


def _parallel(rules: list[Rule]) -> list[Rule]:
    """Rules that lean as the long ones near them do.

    Perspective makes parallel rules lean the more the further they are from the middle: by a straight line.
    """
    if len(rules) < 3:
        return rules
    lengths = np.array([rule.length for rule in rules])
    slopes = np.array([rule.slope for rule in rules])
    across = np.array([rule.at(rule.middle) for rule in rules])
    lean = np.full(len(rules), weighted_median(slopes, lengths))
    for most in (4 * _PARALLEL, 2 * _PARALLEL, _PARALLEL):
        near = np.abs(slopes - lean) < most
        if near.sum() < 2 or np.ptp(across[near]) < 1:
            break
        lean = np.polyval(np.polyfit(across[near], slopes[near], 1, w=lengths[near]), across)
    return _chosen(rules, np.abs(slopes - lean) < _PARALLEL)


def _long(frame: Sequence[Rule], left: Sequence[Rule], side: int) -> list[Rule]:
    """Lines of one direction beside a frame that are longer than all of its own."""
    longest = max((rule.length for rule in frame), default=0.0)
    return [rule for rule in left if rule.length > max(longest, _RULED * side) and rule.covered > _UNBROKEN]


def _lone(rules: Sequence[Rule], writing: NDArray[np.uint8], lying: bool) -> list[Rule]:
    """Those long lines that no pen drew: many of ruled paper, or one apart from all writing.

    `writing` is the mask without them, turned so that they lie; strokes of a pen more often stand.
    """
    thin = [rule for rule in rules if rule.thickness <= _LINE * rule.length]
    columns, rows = np.flatnonzero(writing.any(axis=0)), np.flatnonzero(writing.any(axis=1))
    if not thin:
        return []
    width = writing.shape[1]
    through = cut_off(thin, width, _THROUGH).min(axis=1)
    if not len(columns):
        return _chosen(thin, through) if lying and len(thin) > 1 else []
    if len(thin) > 2:
        wide = np.array([lying and rule.length > _ACROSS * width for rule in thin])
        return _chosen(thin, through | wide)
    first, last = np.percentile(columns, (2, 98))
    top, bottom = np.percentile(rows, (5, 95))
    beyond, rim = _LONGER * (last - first), _ASIDE * (bottom - top)
    return [
        rule
        for rule, whole in zip(thin, through, strict=True)
        if not top + rim <= rule.at(rule.middle) <= bottom - rim
        and (whole or (rule.start < first - beyond and rule.end > last + beyond))
        and (lying or last - first > _BESIDE * rule.length)
    ]


def _wiped(mask: Mask, frames: Frames) -> Mask:
    """The mask with all these lines wiped out."""
    rest = mask.copy()
    for rules, standing in ((frames.all_lying(), False), (frames.all_standing(), True)):
        for rule in rules:
            cv2.polylines(rest, [rule.path(standing)], False, 0, int(rule.thickness) + 3)
    return rest
