"""Defects of ink on paper, in scans and in photos: gaps, specks, low resolution, blur, rules, neighbours."""

from __future__ import annotations

import cv2
import numpy as np

from digits.network.network_input import InkMap
from pipeline.synthesis.pen import cropped

_SCAN = (9, 25)  # pixels on the longer side of a coarse scan
_READABLE = 13  # pixels on that side; smaller black and white scans cannot be read any more
_SMALL_SCAN = (8, 16)  # the two usual sizes of `coarse` in pixels
_BLACK_AND_WHITE = 0.6  # share of the `coarse` scans that are black and white
_WIDENED = 3.0  # the most that a scan is stretched; a line stretched further is a blot
_IN_A_PHOTO = (10.0, 40.0)  # pixels on the longer side of a digit in an out-of-focus photo
_BLUR = (0.02, 0.11)  # standard deviation, relative to that side; more closes the loops of most hands
_FULL = (0.6, 1.05)  # relative to the darkest ink; ink at least this dark counts as full ink
_GRAIN = 0.12  # the most noise, relative to full ink
_PALE = (0.15, 0.4)  # relative to full ink; paler ink counts as paper
_RULE = (0.02, 0.08)  # width of a printed line, relative to a digit's longer side
_OVERLAP = (-0.03, 0.15)  # how far two touching digits overlap, relative to a digit's height
_CUT_OFF = 0.04  # standard deviation of a cut from the digits' border, relative to the height
_TAKEN_OUT = 0.6  # share of the printed lines that are removed with the ink under them; others remain in part


def worn(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Add gaps, as from a skipping pen or a removed line, or specks of dirt. Changes `ink` in place."""
    height, width = ink.shape
    size = max(height, width)
    spots = rng.uniform(0, 1, (int(rng.integers(1, 4)), 2)) * (width, height)
    gaps = rng.random() < 0.6
    for x, y in spots:
        radius = max(1, round(size * rng.uniform(0.008, 0.03)))
        cv2.circle(ink, (int(x), int(y)), radius, 0.0 if gaps else 1.0, -1, cv2.LINE_AA)
    return ink


def scanned(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Return the ink as in a coarse scan: few pixels, often black and white, often stretched."""
    height, width = ink.shape
    side, square = int(rng.integers(*_SCAN)), rng.uniform(0, 1) if rng.random() < 0.5 else 0.0
    narrow = min(ink.shape) / max(ink.shape)
    narrow = min(narrow ** (1 - square), _WIDENED * narrow)
    size = (side, max(2, round(side * narrow)))
    small = cv2.resize(ink, size if width > height else size[::-1], interpolation=cv2.INTER_AREA)
    if side >= _READABLE and rng.random() < 0.6:
        small = (small > rng.uniform(0.25, 0.6) * small.max()).astype(np.float32)
    return np.asarray(small / max(float(small.max()), 1 / 255), np.float32)  # normalised as in `find_ink`


def coarse(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Return the ink as in a data set of small scans: tightly cropped, mostly black and white.

    The longer side has 7 to 17 pixels. Half of the scans are stretched to a square, but at most to three
    times their width.
    """
    side = int(rng.choice(_SMALL_SCAN)) if rng.random() < 0.5 else int(rng.integers(7, 18))
    height, width = ink.shape
    factor = side / max(height, width)
    rows, columns = height * factor, width * factor
    if rng.random() < 0.5:
        rows, columns = (min(float(side), _WIDENED * length) for length in (rows, columns))
    small = cv2.resize(ink, (max(1, round(columns)), max(1, round(rows))), interpolation=cv2.INTER_AREA)
    if rng.random() < _BLACK_AND_WHITE:
        small = (small > rng.uniform(0.3, 0.6) * small.max()).astype(np.float32)
    return np.asarray(small / max(float(small.max()), 1 / 255), np.float32)


def blurred(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Return the ink as in an out-of-focus photo: few pixels, soft edges, narrow loops half filled."""
    side = float(np.exp(rng.uniform(*np.log(_IN_A_PHOTO))))
    width, height = (max(2, round(length * side / max(ink.shape))) for length in ink.shape[::-1])
    small = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
    sigma = max(side * rng.uniform(*_BLUR), 0.3)
    room = int(np.ceil(2.5 * sigma)) + 1
    padded = cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_CONSTANT)
    soft = np.asarray(cv2.GaussianBlur(padded, (0, 0), sigma), np.float32)
    full = max(float(soft.max()) * rng.uniform(*_FULL), 1 / 255)
    noise = rng.normal(0, rng.uniform(0, _GRAIN), soft.shape).astype(np.float32)
    seen = np.clip(soft / full + cv2.GaussianBlur(noise, (0, 0), 0.6), 0, 1)
    return np.asarray(np.where(seen < rng.uniform(*_PALE), 0, seen), np.float32)


def crossed_by_rule(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Return the ink after a printed line that crossed or touched it was removed.

    Either the ink under the line is removed too, or part of the line remains.
    """
    size = max(ink.shape)
    room = round(_RULE[1] * size)
    paper = np.pad(ink, room)
    lying = rng.random() < 0.5
    along, across = paper.shape[::-1] if lying else paper.shape
    at, lean = rng.uniform(room / 2, across - room / 2), rng.normal(0, 0.03) * across
    first, last = (0.0, along) if rng.random() < 0.6 else np.sort(rng.uniform(0, along, 2))
    ends = np.array([(first, at - lean), (last, at + lean)])
    start, end = np.rint(ends if lying else ends[:, ::-1]).astype(int).tolist()
    line = np.zeros_like(paper)
    cv2.line(line, start, end, 1.0, max(1, round(size * rng.uniform(*_RULE))), cv2.LINE_AA)
    if rng.random() < _TAKEN_OUT:
        return np.asarray(paper * (1 - line), np.float32)
    reach = 2 * round(size * rng.uniform(0.02, 0.06)) + 1
    near = cv2.dilate(paper, np.ones((reach, reach), np.uint8)) > 0.5
    return np.asarray(np.maximum(paper, line * near), np.float32)


def cut_from(neighbour: InkMap, ink: InkMap, rng: np.random.Generator) -> InkMap:
    """Return the ink after it was cut apart from a neighbouring digit that it touches.

    Either part of the neighbour remains, or part of its own ink is missing.
    """
    height, width = ink.shape
    scale = height / neighbour.shape[0] * rng.uniform(0.85, 1.15)
    other = cv2.resize(neighbour, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: 2 * height]
    to_the_left = rng.random() < 0.5
    overlap = round(height * rng.uniform(*_OVERLAP))
    room = max(0, other.shape[1] - overlap)
    both = np.pad(ink[:, ::-1] if to_the_left else ink, ((height, height), (0, room)))
    top = round(height * (1 + rng.normal(0, 0.06)))
    part = both[top : top + other.shape[0], width - overlap : width - overlap + other.shape[1]]
    np.maximum(part, other[: part.shape[0], : part.shape[1]], out=part)
    border = width - overlap / 2 + rng.normal(0, _CUT_OFF) * height
    rows = np.arange(len(both)) - 1.5 * height
    kept = np.arange(both.shape[1])[None] < border + rng.normal(0, 0.15) * rows[:, None]
    cut = np.asarray(both * kept, np.float32)
    return cropped(cut[:, ::-1] if to_the_left else cut)
