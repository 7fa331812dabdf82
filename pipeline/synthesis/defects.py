"""What becomes of ink between the pen and the reader: gaps, specks, coarse scans, blur, rules, neighbours."""

from __future__ import annotations

import cv2
import numpy as np

from digits.network.network_input import InkMap
from pipeline.synthesis.pen import cropped

_SCAN = (9, 25)  # pixels, the longer side of a coarse scan
_READABLE = 13  # pixels of that side: fewer in black and white are no digit any more
_SMALL_SCAN = (8, 16)  # pixels: the sides of the usual ones
_BLACK_AND_WHITE = 0.6  # of these
_WIDENED = 3.0  # times: a line stretched further is a blot
_IN_A_PHOTO = (10.0, 40.0)  # pixels, the longer side of a digit in a photo out of focus
_BLUR = (0.02, 0.11)  # of that side, the blur's standard deviation: more closes the loops of most hands
_FULL = (0.6, 1.05)  # of the darkest ink: from there on, all of a page's ink counts as full ink
_GRAIN = 0.12  # of full ink
_PALE = (0.15, 0.4)  # of full ink: less counts as paper
_RULE = (0.02, 0.08)  # of a digit's longer side: how wide a printed line is
_OVERLAP = (-0.03, 0.15)  # of a digit's height: how far it reaches into one that it touches
_CUT_OFF = 0.04  # of its height, the standard deviation: how far from the border of two digits they are cut
_TAKEN_OUT = 0.6  # of the printed lines are taken out with the writing in them; of the others a part is left


def worn(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """The ink with gaps, as where a pen skips or a printed line was taken out, or with specks of dirt."""
    height, width = ink.shape
    size = max(height, width)
    spots = rng.uniform(0, 1, (int(rng.integers(1, 4)), 2)) * (width, height)
    gaps = rng.random() < 0.6
    for x, y in spots:
        radius = max(1, round(size * rng.uniform(0.008, 0.03)))
        cv2.circle(ink, (int(x), int(y)), radius, 0.0 if gaps else 1.0, -1, cv2.LINE_AA)
    return ink


def scanned(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """The ink as a coarse scan delivers it: few pixels, often black and white, often stretched."""
    height, width = ink.shape
    side, square = int(rng.integers(*_SCAN)), rng.uniform(0, 1) if rng.random() < 0.5 else 0.0
    narrow = min(ink.shape) / max(ink.shape)
    narrow = min(narrow ** (1 - square), _WIDENED * narrow)
    size = (side, max(2, round(side * narrow)))
    small = cv2.resize(ink, size if width > height else size[::-1], interpolation=cv2.INTER_AREA)
    if side >= _READABLE and rng.random() < 0.6:
        small = (small > rng.uniform(0.25, 0.6) * small.max()).astype(np.float32)
    return np.asarray(small / max(float(small.max()), 1 / 255), np.float32)  # as `find_ink` has it


def coarse(ink: InkMap, rng: np.random.Generator) -> InkMap:
    """The ink as a data set of small scans has it: cut out tightly, 7 to 17 pixels, mostly black and white.

    Every other one is stretched to a square, a narrow one not further than three times its width.
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
    """The ink as a photo out of focus shows it: few pixels, soft edges, narrow loops half filled."""
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
    """The ink after a printed line that ran through it or along it was taken out.

    The writing in the line's place is gone with it, or some of the line is still there.
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
    """The ink after it was cut from a neighbour that it touches.

    A bit of the neighbour is still there, or a bit of its own ink is gone with it.
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
