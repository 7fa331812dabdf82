"""Takes printed lines out of a picture of darkness; what crosses or covers them stays."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digits.ink.sheet import Grey
from digits.layout.frames import Frames
from digits.layout.rules import Rule

_MARGIN = 2  # pixels beside a rule that its soft edges reach
_DARKER = 1.35  # times the rule's own darkness: what is darker was written over it
_FAINTER = 0.72  # of the pen's darkness: a rule as dark as the pen cannot be told from it by darkness
_ON_RULES = 0.6  # of a piece: one that lies further on rules is a part of them


def without(dark: Grey, frames: Frames, least: int) -> Grey:
    """Darkness (height, width) without the rules of these frames; `least` is the faintest ink."""
    bands = np.zeros_like(dark)
    lying, standing = frames.all_lying(), frames.all_standing()
    pen = _pen(dark, lying, standing, least)
    clean = _along(dark, lying, pen, bands)
    turned, turned_bands = np.ascontiguousarray(clean.T), np.ascontiguousarray(bands.T)
    clean = np.ascontiguousarray(_along(turned, standing, pen, turned_bands).T)
    bands = np.ascontiguousarray(turned_bands.T)
    return _without_leftovers(clean, bands, least)


def _pen(dark: Grey, lying: Sequence[Rule], standing: Sequence[Rule], least: int) -> float:
    """The usual darkness of what is written: of the dark half of all ink away from rules."""
    away = np.asarray(dark > least, np.uint8)
    for rules, turned in ((lying, False), (standing, True)):
        for rule in rules:
            cv2.polylines(away, [rule.path(turned)], False, 0, _band(rule))
    levels = dark[away > 0]
    return float(np.percentile(levels, 75)) if levels.size else 255.0


def _band(rule: Rule) -> int:
    return int(np.ceil(rule.thickness)) + 2 * _MARGIN


def _along(dark: Grey, rules: Sequence[Rule], pen: float, bands: Grey) -> Grey:
    """The darkness with lying rules opened: only what goes on across them, or is darker, stays."""
    clean = dark.copy()
    height, width = dark.shape
    for rule in rules:
        beyond = rule.thickness + _MARGIN
        places = np.arange(max(0, int(rule.start - beyond)), min(width, int(rule.end + beyond) + 1))
        if not len(places):
            continue
        half = _band(rule) / 2
        middle = rule.at(places.astype(float))
        top, bottom = max(0, int(middle.min() - 3 * half)), min(height, int(middle.max() + 3 * half) + 1)
        part = np.s_[top:bottom, places[0] : places[-1] + 1]
        inside = np.abs(np.arange(top, bottom)[:, None] - middle[None]) <= half
        if not inside.any():
            continue
        strip = dark[part]
        length = int(np.ceil(1.15 * rule.thickness)) + 2
        opened = cv2.morphologyEx(strip, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
        own = float(np.median(strip.max(axis=0, where=inside, initial=0)))
        kept = opened
        if own < _FAINTER * pen:
            kept = np.where(strip > _DARKER * own, strip, np.minimum(opened, strip))
        clean[part] = np.where(inside, np.minimum(kept, clean[part]), clean[part])
        bands[part] |= inside.astype(np.uint8)
    return clean


def _without_leftovers(dark: Grey, bands: Grey, least: int) -> Grey:
    """Without pieces that lie mostly where rules were."""
    wide = cv2.dilate(bands, np.ones((3, 3), np.uint8))
    mask = np.asarray(cv2.threshold(dark, least, 1, cv2.THRESH_BINARY)[1], np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    on_rules = np.bincount(labels[(wide > 0) & (mask > 0)], minlength=count)
    goes = on_rules > _ON_RULES * stats[:, 4]
    goes[0] = False
    return np.asarray(cv2.multiply(dark, 1 - goes.astype(np.uint8)[labels]), np.uint8)
