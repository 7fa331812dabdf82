"""Which thin straight lines are printed: tables, boxes, combs, rulings, and the rest of a cut-out cell.

A stroke of a pen may be as long and as straight as a side of a box. What tells a rule from it is its
company: a rule of a frame begins and ends at rules that run the other way, or at the picture's edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.rules import Mask, Rule, Scale, dashes_of, find_rules

_COARSER = 1.8  # times: the second scale that is tried
_PARALLEL = np.tan(np.deg2rad(5))  # rules of one direction differ no more where they are near each other
_ALIKE = 2.7  # times: rules of one picture differ no more in thickness
_THROUGH = 0.04  # of the picture's side: a ruling of the paper may end so far from its edge
_OVERSHOT = 0.15  # of the way between two crossings: a rule may go on so far after its last
_EDGE = 0.01  # of the picture's side: a rule that ends so near to its edge is cut off by it
_SHORT = 0.55  # of the usual length in a frame: what is shorter is a stroke of a pen
_UNEVEN = 0.13  # of the usual width: how far the boxes of a row differ
_REACHES = 3.0  # pixels: a standing rule ends no further from the lying one
_THICKER = 0.4  # of the lying rules' thickness that a standing one may differ
_WRITTEN = 0.01  # of a single box that is ink: where there is less, the box was written itself
_RULED = 0.45  # of the picture's side: a line of the paper beside frames is longer
_TOOTHED = 0.85  # of a comb's base, from the first tooth to the last
_NEAR = 6  # pixels
_MOSTLY = 0.4  # of all rules of squared paper that go on beyond the last that they meet
_LINE = 0.1  # of its length: a line is no thicker
_LONGER = 0.04  # of the writing's extent: a line goes on so far on both sides of it
_TEETH = 4  # of a comb, at least
_EVEN = 0.2  # of a tooth's length or distance: how far two of a comb differ
_LONE = 1.25  # of the writing's height: a line without company is longer


@dataclass(frozen=True, slots=True, eq=False)
class Comb:
    """A lying rule and what stands on it at even distances, from the left."""

    base: Rule
    teeth: tuple[Rule, ...]


@dataclass(frozen=True)
class Frames:
    """The printed lines of a picture, by direction: of frames (tables, boxes, combs), and the others."""

    lying: list[Rule]
    standing: list[Rule]
    other_lying: list[Rule]
    other_standing: list[Rule]
    combs: list[Comb]

    @property
    def inked(self) -> float:
        """How many pixels of rules there are."""
        teeth = [tooth for comb in self.combs for tooth in (comb.base, *comb.teeth)]
        return sum(rule.length * rule.covered for rule in (*self.lying, *self.standing, *teeth))

    def lines(self, lying: bool) -> list[Rule]:
        """All lines that lie, or that stand."""
        if lying:
            return [*self.lying, *self.other_lying, *(comb.base for comb in self.combs)]
        teeth = [tooth for comb in self.combs for tooth in comb.teeth]
        return [*self.standing, *self.other_standing, *teeth]


def find_frames(mask: Mask) -> Frames:
    """The printed lines in a mask (height, width) of ink (1) on paper (0)."""
    frames = _best(mask)
    if _is_paper(frames):
        lying, standing = ([*frames.lying, *frames.other_lying], [*frames.standing, *frames.other_standing])
        frames = Frames([], [], lying, standing, frames.combs)
    if not (frames.other_lying or frames.other_standing):
        return frames
    # Boxes on ruled or squared paper are found when the paper's own lines are gone.
    beneath = _best(_without(mask, frames))
    if _is_paper(beneath) or not (beneath.combs or len(beneath.standing) > 2):
        return frames
    return Frames(
        [*frames.lying, *beneath.lying],
        [*frames.standing, *beneath.standing],
        [*frames.other_lying, *beneath.other_lying],
        [*frames.other_standing, *beneath.other_standing],
        [*frames.combs, *beneath.combs],
    )


def _best(mask: Mask) -> Frames:
    """The lines at the scale that shows most of them."""
    scale = Scale.of(mask)
    found = [_at_scale(mask, each) for each in (scale, Scale(_COARSER * scale.stroke))]
    return max(found, key=lambda frames: frames.inked)


def _is_paper(frames: Frames) -> bool:
    """Whether most rules go on beyond the last that they meet, as on squared paper."""
    if not frames.lying or not frames.standing:
        return False
    x, y = _crossings(frames.lying, frames.standing)
    beyond = []
    for rules, places in ((frames.lying, x), (frames.standing, y.T)):
        for rule, place in zip(rules, places, strict=True):
            on_it = place[(place > rule.start - _NEAR) & (place < rule.end + _NEAR)]
            if len(on_it) > 1:
                most = _OVERSHOT * (np.ptp(on_it) / (len(on_it) - 1)) + _NEAR
                beyond.append(on_it.min() - rule.start > most or rule.end - on_it.max() > most)
    return sum(beyond) > _MOSTLY * len(beyond)


def _without(mask: Mask, frames: Frames) -> Mask:
    """The mask with all these lines wiped out."""
    rest = mask.copy()
    for rules, turned in ((frames.lines(lying=True), False), (frames.lines(lying=False), True)):
        for rule in rules:
            places = np.linspace(rule.start, rule.end, 32)
            across = rule.at(places)
            points = np.stack([across, places] if turned else [places, across], axis=1)
            path = np.rint(points).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(rest, [path], False, 0, int(rule.thickness) + 3)
    return rest


def _at_scale(mask: Mask, scale: Scale) -> Frames:
    height, width = mask.shape
    dashes = dashes_of(mask, scale)
    lying = _alike(find_rules(mask, dashes, scale))
    turned = None if dashes is None else np.ascontiguousarray(dashes.T)
    standing = _alike(find_rules(np.ascontiguousarray(mask.T), turned, scale))
    meeting = Meeting(lying, standing, (height, width), scale)
    through = [
        _cut(rules, side, _THROUGH).all(axis=1) for rules, side in ((lying, width), (standing, height))
    ]
    in_frame = meeting.core(~through[0], ~through[1], edges=False)
    if not in_frame[0].any():
        in_frame = meeting.core(*(np.ones_like(part) for part in through), edges=True)
    in_frame = in_frame[0], _without_strokes(meeting, *in_frame, scale)
    in_frame = _without_loops(meeting, *in_frame, mask)
    frame = [
        [rule for rule, ok in zip(rules, part, strict=True) if ok]
        for rules, part in zip((lying, standing), in_frame, strict=True)
    ]
    combs = _combs(lying, meeting, in_frame, mask, scale)
    bases = {comb.base for comb in combs}
    left = [
        [rule for rule, ok in zip(rules, part, strict=True) if not ok and rule not in bases]
        for rules, part in zip((lying, standing), in_frame, strict=True)
    ]
    others = _others(frame, left, mask) if frame[0] or not combs else [[], []]
    return Frames(*frame, *others, combs)


def _others(frame: list[list[Rule]], left: list[list[Rule]], mask: Mask) -> list[list[Rule]]:
    """Long lines that are no part of frames: the paper's, and what a cut-out cell has at its sides."""
    height, width = mask.shape
    found = []
    for rules, own, side in zip(frame, left, (width, height), strict=True):
        longest = max((rule.length for rule in rules), default=0.0)
        long = [rule for rule in own if rule.length > max(longest, _RULED * side) and rule.covered > 0.85]
        found.append(long)
    if frame[0]:
        return found
    writing = _without(mask, Frames([], [], *found, []))
    return [
        [rule for rule in rules if _is_lone(rule, writing if k == 0 else writing.T, len(rules))]
        for k, rules in enumerate(found)
    ]


def _is_lone(rule: Rule, writing: Mask, count: int) -> bool:
    """Whether a long lying line stands apart from all writing, or is one of several of ruled paper."""
    height, width = writing.shape
    if rule.thickness > _LINE * rule.length:
        return False
    if count > 2:
        return True
    columns, rows = np.flatnonzero(writing.any(axis=0)), np.flatnonzero(writing.any(axis=1))
    if not len(columns):
        return False
    first, last = np.percentile(columns, (2, 98))
    top, bottom = np.percentile(rows, (5, 95))
    place = float(rule.at((rule.start + rule.end) / 2))
    beyond = _LONGER * (last - first)
    aside = place < top + 0.12 * (bottom - top) or place > bottom - 0.12 * (bottom - top)
    return bool(aside and rule.start < first - beyond and rule.end > last + beyond) or bool(
        _cut([rule], width, _THROUGH).all() and (aside or count > 1)
    )


class Meeting:
    """Where the lying and the standing rules of a picture meet, and which end at its edges."""

    def __init__(self, lying: list[Rule], standing: list[Rule], shape: tuple[int, int], scale: Scale) -> None:
        self.lying, self.standing = lying, standing
        self.x, self.y = _crossings(lying, standing)
        self.near_lying = np.array([_tolerance(rule, scale) for rule in lying])[:, None]
        self.near_standing = np.array([_tolerance(rule, scale) for rule in standing])[:, None]
        self.meets = (
            _within(lying, self.x, self.near_lying) & _within(standing, self.y.T, self.near_standing).T
        )
        self.lying_cut, self.standing_cut = _cut(lying, shape[1], _EDGE), _cut(standing, shape[0], _EDGE)

    def core(
        self, rows: NDArray[np.bool_], columns: NDArray[np.bool_], edges: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of the chosen rules those that are left when all are taken away, again and again, that end freely."""
        while True:
            meets = self.meets & rows[:, None] & columns[None]
            more_rows = rows & _held(self.lying, self.x, meets, self.lying_cut & edges, self.near_lying)
            more_columns = columns & _held(
                self.standing, self.y.T, meets.T, self.standing_cut & edges, self.near_standing
            )
            more_rows, more_columns = self._printed(more_rows, more_columns)
            if (more_rows == rows).all() and (more_columns == columns).all():
                return rows, columns
            rows, columns = more_rows, more_columns

    def _printed(
        self, rows: NDArray[np.bool_], columns: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Without what is far shorter, thinner or thicker than the other rules of its frame."""
        rows, columns = rows.copy(), columns.copy()
        for in_rows, in_columns in _frames(self.meets & rows[:, None] & columns[None]):
            own = [np.flatnonzero(in_rows), np.flatnonzero(in_columns)]
            rules = [self.lying[k] for k in own[0]] + [self.standing[k] for k in own[1]]
            lengths = np.array([rule.length for rule in rules])
            thickness = np.array([rule.thickness for rule in rules])
            usual = _weighted_median(thickness, lengths)
            fits = (thickness >= usual / _ALIKE - 1) & (thickness <= usual * _ALIKE + 1)
            for chosen, part, there in (
                (rows, own[0], fits[: len(own[0])]),
                (columns, own[1], fits[len(own[0]) :]),
            ):
                long = lengths[: len(own[0])] if chosen is rows else lengths[len(own[0]) :]
                chosen[part] &= there & (long >= _SHORT * _weighted_median(long, long))
        return rows, columns


def _without_strokes(
    meeting: Meeting, rows: NDArray[np.bool_], columns: NDArray[np.bool_], scale: Scale
) -> NDArray[np.bool_]:
    """The standing rules without strokes of a pen that stand in a box as high as a row of boxes.

    A rule reaches both lying ones and is as thick as they are, or it stands where the next box begins.
    """
    columns = columns.copy()
    for in_rows, in_columns in _frames(meeting.meets & rows[:, None] & columns[None]):
        if in_rows.sum() != 2:
            continue
        own = np.flatnonzero(in_columns)
        if len(own) < 3:
            continue
        lying = np.flatnonzero(in_rows)
        thickness = np.mean([meeting.lying[k].thickness for k in lying])
        places = meeting.x[lying].mean(axis=0)[own]
        ends = np.sort(meeting.y[lying][:, own], axis=0)
        plain = np.array(
            [
                max(abs(rule.start - top), abs(rule.end - bottom))
                <= (scale.gap / 2 if rule.dashed else _REACHES + thickness)
                and abs(rule.thickness - thickness) <= _THICKER * thickness + 1
                for rule, top, bottom in zip((meeting.standing[k] for k in own), *ends, strict=True)
            ]
        )
        plain[[int(np.argmin(places)), int(np.argmax(places))]] = True
        order = np.argsort(places)
        own, places, plain = own[order], places[order], plain[order]
        gaps = np.diff(places[plain])
        usual = _weighted_median(gaps, gaps)
        for k in np.flatnonzero(~plain):
            steps = np.abs(places[k] - places[plain]) / usual
            near = np.abs(steps - np.rint(steps)) <= _UNEVEN * 0.7
            columns[own[k]] = bool((near & (steps > 0.5) & (steps < 3.5)).any())
        own, places = own[columns[own]], places[columns[own]]
        k = 1
        while k < len(own) - 1:
            before, after = places[k] - places[k - 1], places[k + 1] - places[k]
            if abs(before + after - usual) < _UNEVEN * usual and max(before, after) < (1 - _UNEVEN) * usual:
                columns[own[k]] = False
                own, places = np.delete(own, k), np.delete(places, k)
            else:
                k += 1
    return columns


def _without_loops(
    meeting: Meeting, rows: NDArray[np.bool_], columns: NDArray[np.bool_], mask: Mask
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The rules without single boxes that nothing is written in: they are digits with corners."""
    rows, columns = rows.copy(), columns.copy()
    for in_rows, in_columns in _frames(meeting.meets & rows[:, None] & columns[None]):
        if in_rows.sum() != 2 or in_columns.sum() != 2:
            continue
        lying, standing = np.flatnonzero(in_rows), np.flatnonzero(in_columns)
        x, y = meeting.x[np.ix_(lying, standing)], meeting.y[np.ix_(lying, standing)]
        wide = 2 * max(meeting.lying[k].thickness for k in lying) + 2
        left, right = np.sort(x.mean(axis=0)).astype(int)
        top, bottom = np.sort(y.mean(axis=1)).astype(int)
        room = int(max(wide, 0.12 * min(right - left, bottom - top)))
        inside = mask[top + room : bottom - room, left + room : right - room]
        if not inside.size or cv2.countNonZero(inside) < _WRITTEN * inside.size:
            rows[lying], columns[standing] = False, False
    return rows, columns


def _frames(meets: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The rules (rows and columns) that hang together, frame by frame."""
    found = []
    left = meets.any(axis=1)
    while left.any():
        rows = np.zeros(len(meets), bool)
        rows[np.flatnonzero(left)[0]] = True
        while True:
            columns = meets[rows].any(axis=0)
            more = rows | meets[:, columns].any(axis=1)
            if (more == rows).all():
                break
            rows = more
        found.append((rows, columns))
        left = left & ~rows
    return found


def _crossings(lying: list[Rule], standing: list[Rule]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each lying rule (rows) and each standing rule (columns) meet, if both went on: x and y."""
    x = np.array([[rule.at((rule.start + rule.end) / 2) for rule in standing]] * len(lying), float)
    x = x.reshape(len(lying), len(standing))
    y = np.zeros_like(x)
    for _ in range(3):
        for i, rule in enumerate(lying):
            y[i] = rule.at(x[i])
        for j, rule in enumerate(standing):
            x[:, j] = rule.at(y[:, j])
    return x, y


def _within(rules: list[Rule], places: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places (a row for each rule) lie on the rules."""
    start, end = (np.array([getattr(rule, name) for rule in rules])[:, None] for name in ("start", "end"))
    return np.asarray((places >= start - near) & (places <= end + near))


def _cut(rules: list[Rule], side: int, share: float) -> NDArray[np.bool_]:
    """Whether each rule (rows) is cut off by the picture's edge at its start and at its end."""
    edge = max(3.0, share * side)
    return np.array([(rule.start <= edge, rule.end >= side - 1 - edge) for rule in rules], bool).reshape(
        -1, 2
    )


def _held(rules, places, meets, cut, near) -> NDArray[np.bool_]:
    """Which rules end at a crossing, or at the picture's edge, on both sides."""
    held = np.zeros(len(rules), bool)
    for k, rule in enumerate(rules):
        mine = places[k][meets[k]]
        if len(mine) + cut[k].sum() < 2 or not len(mine):
            continue
        most = max(float(near[k, 0]), _OVERSHOT * _usual_gap(mine))
        at_start = cut[k, 0] or bool(np.abs(mine.min() - rule.start) <= most)
        at_end = cut[k, 1] or bool(np.abs(mine.max() - rule.end) <= most)
        held[k] = (at_start and at_end) or (len(mine) > 2 and (at_start or at_end))
    return held


def _usual_gap(places: NDArray[np.float64]) -> float:
    """The usual distance between neighbours."""
    return float(np.median(np.diff(np.sort(places)))) if len(places) > 1 else 0.0


def _tolerance(rule: Rule, scale: Scale) -> float:
    return float(scale.gap) if rule.dashed else 0.5 * (scale.stroke + rule.thickness) + 2


def _alike(rules: list[Rule]) -> list[Rule]:
    """Rules that lean as the long ones near them do.

    Perspective makes parallel rules lean the more the further they are from the middle: by a straight line.
    """
    if len(rules) < 3:
        return rules
    lengths = np.array([rule.length for rule in rules])
    slopes = np.array([rule.slope for rule in rules])
    across = np.array([float(rule.at((rule.start + rule.end) / 2)) for rule in rules])
    lean = np.full(len(rules), _weighted_median(slopes, lengths))
    for most in (4 * _PARALLEL, 2 * _PARALLEL, _PARALLEL):
        near = np.abs(slopes - lean) < most
        if near.sum() < 2 or np.ptp(across[near]) < 1:
            break
        lean = np.polyval(np.polyfit(across[near], slopes[near], 1, w=lengths[near]), across)
    return [rule for rule, off in zip(rules, np.abs(slopes - lean), strict=True) if off < _PARALLEL]


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    half = np.searchsorted(weights[order].cumsum(), weights.sum() / 2)
    return float(values[order][half])


def _combs(lying, meeting, in_frame, mask, scale):
    """Lying rules on which teeth stand: at least three of one length at even distances."""
    found = []
    for i, base in enumerate(lying):
        if in_frame[0][i] or meeting.meets[i][in_frame[1]].any() or base.length < 3 * scale.shortest:
            continue
        teeth = _teeth(base, mask, scale)
        best = _even_teeth(teeth)
        if len(best) >= _TEETH and best[-1][0] - best[0][0] > _TOOTHED * base.length:
            ends = [t for t in teeth if min(abs(t[0] - base.start), abs(t[0] - base.end)) <= scale.stroke + 3]
            whole = sorted({id(t): t for t in (*best, *ends)}.values(), key=lambda t: t[0])
            found.append(Comb(base, tuple(tooth for _, tooth in whole)))
    return found


def _teeth(base, mask, scale):
    """What stands on a lying rule, as standing rules."""
    first, last = max(0, int(base.start) - 3), min(mask.shape[1] - 1, int(base.end) + 3)
    x = np.arange(first, last + 1)
    foot = np.rint(base.at(x) - base.thickness / 2 - 1).astype(int)
    reach = int(base.length / _TEETH)
    y = foot[None] - np.arange(reach)[:, None]
    ink = (mask[np.clip(y, 0, len(mask) - 1), x[None]] > 0) & (y >= 0)
    ink = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    high = np.where(ink.all(axis=0), reach, ink.argmin(axis=0))
    standing = np.flatnonzero(high > 2 * base.thickness + 2)
    teeth = []
    for group in np.split(standing, np.flatnonzero(np.diff(standing) > 1) + 1):
        if not len(group) or len(group) > _ALIKE * base.thickness + 2:
            continue
        centre, tall = float(x[group].mean()), float(high[group].max())
        y = float(base.at(centre))
        top = group[high[group] >= 0.8 * tall].mean() + first
        lean = (centre - float(top)) / tall
        teeth.append(
            (centre, Rule(y - tall, y, np.array([0.0, lean, centre - lean * y]), float(len(group)), 1.0))
        )
    return teeth


def _even_teeth(teeth):
    """The largest set of teeth that are as long as each other and stand at whole distances."""
    teeth = sorted(teeth, key=lambda tooth: tooth[0])
    best = []
    for _, model in teeth:
        alike = [t for t in teeth if abs(t[1].length - model.length) <= _EVEN * model.length + 2]
        gaps = [b[0] - a[0] for a, b in pairwise(alike)]
        if len(alike) < _TEETH:
            continue
        for step in {round(gap) for gap in gaps if gap > 0.5 * model.length}:
            chain = _chain(alike, step)
            if len(chain) > len(best):
                best = chain
    return best


def _chain(teeth, step):
    best = []
    for first in range(len(teeth)):
        chain = [teeth[first]]
        for tooth in teeth[first + 1 :]:
            times = (tooth[0] - chain[-1][0]) / step
            if (
                round(times) >= 1
                and round(times) <= 2
                and abs(times - round(times)) <= _EVEN * 0.75 * round(times)
            ):
                chain.append(tooth)
        if len(chain) > len(best):
            best = chain
    return best
