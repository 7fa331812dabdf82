"""Removes printed lines from a picture of darkness, but not what crosses, covers or runs along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, histogram, transposed
from digits.layout.frames.classification import Frames
from digits.layout.rules.rule import Rule

# The greatest width of a rule's soft edge is the sum of these two.
_SOFT = 1.0  # relative to the thickness of the rule
_MARGIN = 5  # pixels
_SAMPLES = 200  # places along a rule where its edges are measured
_PEN = 0.75  # quantile of the darkness outside rules that is the pen's darkness
_DARKER = 1.35  # above this multiple of the rule's darkness, ink was written over it
_FAINTER = 0.72  # above this share of the pen's darkness, a rule looks like writing
_STROKE = 0.5  # above this share of the pen's darkness, ink outside a rule is a stroke
_REST = 1.5  # greatest darkness of the remains of a rule, relative to the faintest ink
_ALONG = 0.6  # greatest length of a stroke hidden in a rule, relative to its extent along the rule
_DOUBLE = 6  # greatest distance of a double rule's second line, in pixels
_NEARLY_ALL = 0.9  # least share of the second line that is within _DOUBLE of the rule
_SLENDER = 5  # least ratio of length to width of the second line
_ON_RULES = 0.6  # share of a piece on rules, above which it is a part of them


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """The pixels of a horizontal rule.

    `inside` are its pixels in `part` of the picture. `edges` (2, n) are the rows just above and below it at
    each place along it, and `further` (2, n) the rows at twice that distance. `half` is half its thickness in
    pixels.
    """

    part: tuple[slice, slice]
    inside: NDArray[np.bool_]
    edges: NDArray[np.intp]
    further: NDArray[np.intp]
    half: int

    @classmethod
    def of(cls, rule: Rule, dark: Grey, least: int) -> _Band | None:
        height, width = dark.shape
        half = _half(dark, rule, least)
        beyond = half + 2
        places = np.arange(max(0, int(rule.start - beyond)), min(width, int(rule.end + beyond) + 1))
        if not len(places):
            return None
        middle = rule.at(places.astype(float))
        top, bottom = max(0, int(middle.min()) - half - 2), min(height, int(middle.max()) + half + 3)
        inside = np.abs(np.arange(top, bottom)[:, None] - middle[None]) <= half
        if not inside.any():
            return None
        edges, further = (
            np.clip(np.rint(middle[None] + np.array([[-off], [off]])).astype(int), 0, height - 1)
            for off in (half + 1, 2 * half + 1)
        )
        part = slice(top, bottom), slice(int(places[0]), int(places[-1]) + 1)
        return cls(part, inside, edges, further, half)


def without(dark: Grey, frames: Frames, least: int) -> Grey:
    """The darkness (height, width) without the rules of these frames; `least` is the faintest ink."""
    horizontal = _bands(frames.all_horizontal(), dark, least)
    vertical = _bands(frames.all_vertical(), transposed(dark), least)
    on_rules = np.zeros_like(dark)
    for bands, around in ((horizontal, on_rules), (vertical, on_rules.T)):
        for band in bands:
            around[band.part] |= band.inside.astype(np.uint8)
    away = np.asarray(cv2.multiply(dark, 1 - on_rules), np.uint8)
    darker = histogram(away)[least + 1 :].cumsum()
    pen = least + 1 + int(np.searchsorted(darker, _PEN * darker[-1])) if darker[-1:].any() else 255
    beside = np.asarray(cv2.threshold(away, max(least, _STROKE * pen), 1, cv2.THRESH_BINARY)[1], np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(beside, 8, cv2.CV_32S, cv2.CCL_GRANA)
    strokes = np.asarray(labels, np.int32)
    across, down = (np.asarray(_ALONG * stats[:, side], np.float64) for side in (2, 3))
    clean = _along(dark, horizontal, pen, least, strokes, across)
    clean = transposed(_along(transposed(clean), vertical, pen, least, strokes.T, down))
    return _without_leftovers(clean, on_rules, least)


def _bands(rules: Sequence[Rule], dark: Grey, least: int) -> list[_Band]:
    return [band for rule in rules if (band := _Band.of(rule, dark, least)) is not None]


def _half(dark: Grey, rule: Rule, least: int) -> int:
    """How far from its middle a horizontal rule is darker than paper, in pixels."""
    reach = int(np.ceil((0.5 + _SOFT) * rule.thickness)) + _MARGIN
    height, width = dark.shape
    places = np.linspace(max(0, rule.start), min(width - 1, rule.end), _SAMPLES)
    offsets = np.arange(-reach, reach + 1)
    rows = np.rint(rule.at(places)).astype(int)[None] + offsets[:, None]
    levels = dark[np.clip(rows, 0, height - 1), places.astype(int)[None]]
    paper = (levels <= least).sum(axis=1) > _SAMPLES / 2
    beside = np.abs(offsets[paper])
    near = beside[beside > rule.thickness / 4]
    return int(min(near.min(initial=reach), reach))


def _along(
    dark: Grey,
    bands: Sequence[_Band],
    pen: int,
    least: int,
    strokes: NDArray[np.int32],
    longest: NDArray[np.float64],
) -> Grey:
    """The darkness without horizontal rules, except for ink that crosses them, runs in them, or is darker.

    `strokes` are the labels of the pieces of ink outside all rules. `longest` is for each of them the
    greatest length for which it may run in a rule.
    """
    clean = dark.copy()
    for band in bands:
        strip = dark[band.part]
        opened = cv2.morphologyEx(strip, cv2.MORPH_OPEN, np.ones((2 * band.half + 1, 1), np.uint8))
        own = float(np.median(strip.max(axis=0, where=band.inside, initial=0)))
        columns = np.arange(band.part[1].start, band.part[1].stop)
        above, below = (strokes[edge, columns] for edge in band.edges)
        across = _near(above > 0, band.half) & _near(below > 0, band.half)
        kept = np.where(across[None], opened, 0)
        if own < _FAINTER * pen:
            kept = np.where(strip > _DARKER * own, strip, kept)
        else:
            further = (strokes[edge, columns] for edge in band.further)
            hidden = np.logical_or(
                *(
                    _run_along(near, far, longest, band.half)
                    for near, far in zip((above, below), further, strict=True)
                )
            )
            kept = np.where(hidden[None], strip, kept)
        kept = np.where(kept > _REST * least, kept, 0)
        clean[band.part] = np.where(band.inside, np.minimum(kept, clean[band.part]), clean[band.part])
    return clean


def _near(places: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Where one of these places is within `reach`."""
    wide = cv2.dilate(places.astype(np.uint8)[None], np.ones((1, 2 * reach + 1), np.uint8))
    return np.asarray(wide[0] > 0)


def _run_along(
    labels: NDArray[np.int32], further: NDArray[np.int32], longest: NDArray[np.float64], reach: int
) -> NDArray[np.bool_]:
    """Where a stroke is hidden in a rule, between two places at which it enters the rule.

    `labels` are the strokes that touch the rule on one side, and `further` the strokes a little further away.
    A stroke that enters the rule comes from outside, whereas one that only touches it also has ink next to it
    further away.
    """
    hidden = np.zeros(len(labels), bool)
    touched = np.flatnonzero(labels)
    for first, second in zip(touched[:-1].tolist(), touched[1:].tolist(), strict=True):
        label = labels[first]
        if second > first + 1 and label == labels[second] and second - first <= longest[label]:
            within = further[first + 2 : second - 1] == label
            hidden[first : second + 1] = not (within[: reach + 1].any() or within[-reach - 1 :].any())
    return hidden


def _without_leftovers(dark: Grey, bands: Grey, least: int) -> Grey:
    """The darkness without the remains of pieces that are mostly on rules."""
    mask = np.asarray(cv2.threshold(dark, least, 1, cv2.THRESH_BINARY)[1], np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    on_rules, beside = (
        np.flatnonzero(cv2.dilate(bands, np.ones((side, side), np.uint8)).view(np.bool_))
        for side in (3, 2 * _DOUBLE + 1)
    )
    label_of, clean = labels.ravel(), dark.copy()
    mostly = np.bincount(label_of[on_rules], minlength=count) > _ON_RULES * stats[:, 4]
    mostly[0] = False  # paper
    clean.ravel()[on_rules[mostly[label_of[on_rules]]]] = 0
    # The second line of a double rule is next to the rule, and similarly long and thin.
    near = np.bincount(label_of[beside], minlength=count) > _NEARLY_ALL * stats[:, 4]
    long, thin = stats[:, 2:4].max(axis=1), stats[:, 2:4].min(axis=1)
    for label in np.flatnonzero(near[1:] & (long > _SLENDER * thin)[1:]) + 1:
        left, top, width, height = stats[label, :4].tolist()
        part = np.s_[top : top + height, left : left + width]
        clean[part][labels[part] == label] = 0
    return clean
