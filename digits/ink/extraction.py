"""From any picture to its ink: paper 0, ink 1, whatever the light, the polarity and the dirt."""

# Why it is so: docs/decisions/ink.md
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.desk import find_paper, on_paper
from digits.ink.focus import focused
from digits.ink.layer import layer_of
from digits.ink.light import darkness, polarity, without_shadow
from digits.ink.pixels import Picture, stored, upright
from digits.ink.ruled_lines import near_the_border, without_rules
from digits.ink.sheet import Grey, Sheet, histogram, small_copy
from digits.network.contract import FIELD
from digits.network.network_input import INK, InkMap

_FAINTEST = 9  # of 255, of the paper's light: less is no ink
_FAINTEST_IN_SHADOW = 30  # the same where the light is uneven, and so never quite taken out
_FAINTEST_CLOSE_BY = 14  # the same where the paper is looked for close by
_ROOM = 3.0  # times the widest stroke: how far away the paper is then looked for
_LEAST_WINDOW = 25  # pixels: it is not looked for closer by
_FINER = 0.11  # of the shorter side: where it would be further away, nothing is won
_NOISE = 5.0  # standard deviations of the paper's noise: less is no ink
_PLAIN = 1.7  # polarity score above which the other way round is not worth trying
_PLAIN_IN_SHADOW = 0.6  # the same among shadows, where paper is nearly always light
_SPECKLED = 0.0005  # of all pixels: more lone ones are noise, not dirt
WEAKEST = 150  # of 255: ink so strong is no soft edge and no ruling, whatever else there is

_NEXT = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of a picture, at `shrink` times smaller than its upright `width` and `height`.

    Of a sheet of paper on a desk it is the ink of the sheet, which begins at `left`, `top` of the picture.

    `strength` is 0 on paper and 255 in full ink; `place` is 1 where ink is. `contrast` is the share of
    the paper's light that full ink takes away. `rough`: noise or uneven light.
    `in_doubt`: the other polarity may be the right one. `grey` is what all was found in: 0 black, 255 white.
    """

    strength: Sheet
    place: Sheet
    grey: Sheet
    contrast: float
    shrink: float
    width: int
    height: int
    rough: bool = False
    in_doubt: bool = False
    left: int = 0
    top: int = 0

    @property
    def pixels(self) -> Grey:
        """`strength` as one array."""
        return self.strength.whole

    @property
    def mask(self) -> Grey:
        """`place` as one array."""
        return self.place.whole


class _Place(NamedTuple):
    """Where a map is in its upright picture of `width` and `height`: as in `Darkness`."""

    shrink: float
    width: int
    height: int
    left: int
    top: int


def ink_map(picture: Picture) -> InkMap:
    """Ink of a picture in any mode and polarity: 0 is paper, 1 is full ink, shape (height, width).

    Transparent pixels are paper; uneven light and printed lines are taken out. A picture of more than
    two megapixels gives a smaller map. Raises `ImageError` as `layer_of` does.
    """
    return np.asarray(find_ink(picture).pixels / np.float32(255), np.float32)


@dataclass(frozen=True, slots=True)
class Darkness:
    """How much darker than its paper a picture is everywhere, 0 to 255, before anything is taken for ink.

    It is `shrink` times smaller (below 1: larger) than the upright picture of `width` and `height` in pixels,
    or than the sheet in it, which begins at `left`, `top`. `noise` is the standard
    deviation of the paper's; what is not darker than `least` is paper. `rough` and `in_doubt` as in `Ink`.
    """

    dark: Sheet
    grey: Sheet
    ink_is_dark: bool
    noise: float
    uneven: bool
    faintest: int
    shrink: float
    width: int
    height: int
    in_doubt: bool
    left: int
    top: int

    @property
    def rough(self) -> bool:
        return self.noise > 1 or self.uneven

    @property
    def floor(self) -> float:
        """The paper's own darkness."""
        counts = self.dark.counts
        return float(np.searchsorted(counts.cumsum(), counts.sum() / 2)) if self.noise else 0.0

    @property
    def least(self) -> int:
        """The darkest that paper is."""
        return int(max(self.faintest, self.floor + _NOISE * self.noise))

    def finer(self) -> Darkness:
        """The same, compared with paper close by where all ink is narrow: fainter ink can be seen."""
        if not self.uneven:
            return self
        mask = _above(self.dark.whole, self.least)
        widest = (
            2 * float(cv2.distanceTransform(mask, cv2.DIST_C, 3).max()) if cv2.countNonZero(mask) else 0.0
        )
        window = max(_ROOM * widest, _LEAST_WINDOW) / min(mask.shape)
        if window > _FINER:
            return self
        sheet = Sheet.all_of(without_shadow(self.grey.whole, self.ink_is_dark, window))
        return replace(self, dark=sheet, noise=_noise(sheet, apart=6), faintest=_FAINTEST_CLOSE_BY)

    def enlarged(self) -> Darkness:
        """The same picture in twice as many pixels each way, its light judged anew."""
        grey = cv2.resize(self.grey.whole, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        place = _Place(self.shrink / 2, self.width, self.height, self.left, self.top)
        sheet = Sheet.all_of(np.asarray(grey, np.uint8))
        return _darkness_of(sheet, small_copy(sheet), place)


def find_darkness(picture: Picture, turned: bool = False) -> Darkness:
    """How dark a picture is, uneven light taken out; `turned`: in the polarity that seems less likely.

    Raises `ImageError` as `layer_of` does.
    """
    layer = layer_of(picture)
    sheet = _without_noise(_without_salt(layer.sheet))
    small = small_copy(sheet)
    paper = find_paper(small)
    width, height, left, top = layer.width, layer.height, 0, 0
    if paper is not None:  # read at the size that the sheet has, and not its desk
        left, top, right, bottom = box = paper.box(width, height)
        orientation, pixels = stored(picture)
        layer = layer_of(np.ascontiguousarray(upright(pixels, orientation)[top:bottom, left:right]))
        sheet = on_paper(_without_noise(_without_salt(layer.sheet)), paper.within(box, width, height))
        small = small_copy(sheet)
    return _darkness_of(sheet, small, _Place(layer.shrink, width, height, left, top), turned)


def _darkness_of(sheet: Sheet, small: Sheet, place: _Place, turned: bool = False) -> Darkness:
    """How dark a sheet, and a small copy of it, is; `place`: where it is in its picture."""
    seems = polarity(small)
    ink_is_dark = seems.ink_is_dark != turned
    sheet, smaller = focused(sheet, small, ink_is_dark)
    dark, uneven = darkness(sheet, small, ink_is_dark)
    noise = _noise(dark, apart=6)
    if noise or dark.margin:
        dark = Sheet.all_of(dark.whole)
    in_doubt = seems.plainness < (_PLAIN_IN_SHADOW if uneven else _PLAIN)
    return Darkness(
        dark,
        sheet,
        ink_is_dark,
        noise,
        uneven,
        _FAINTEST_IN_SHADOW if uneven else _FAINTEST,
        place.shrink * smaller,
        place.width,
        place.height,
        in_doubt,
        place.left,
        place.top,
    )


def ink_of(found: Darkness, ruled: bool = True, weakest: int = WEAKEST) -> Ink:
    """What of the darkness is ink; `ruled`: without the lines of ruled paper.

    What is as strong as `weakest`, of 255, is ink in any case, even where there is much stronger ink.
    """
    strength, place, contrast = _strengthened(found, weakest)
    if ruled and near_the_border(place):
        strength, place = _without_rules(strength, place)
    return Ink(
        strength,
        place,
        found.grey,
        contrast,
        found.shrink,
        found.width,
        found.height,
        found.rough,
        found.in_doubt,
        found.left,
        found.top,
    )


def find_ink(picture: Picture, turned: bool = False) -> Ink:
    """The ink of a picture; `turned` reads it in the polarity that seems less likely.

    Raises `ImageError` as `layer_of` does.
    """
    return ink_of(find_darkness(picture, turned))


def _without_rules(strength: Sheet, place: Sheet) -> tuple[Sheet, Sheet]:
    """The ink and where it is, printed lines taken out."""
    mask = place.whole
    ruleless = without_rules(strength.whole, mask)
    if ruleless is None:
        return strength, place
    return Sheet.all_of(ruleless), Sheet.all_of(mask * _above(ruleless, 255 * INK))


def _without_salt(sheet: Sheet) -> Sheet:
    """Lone pixels unlike all four beside them taken out, where there are many."""
    if min(sheet.width, sheet.height) <= FIELD * 2:
        return sheet
    step = max(3, sheet.height // 40)
    before, rows, after = (sheet.part[-sheet.top % step :][k::step] for k in (0, 1, 2))
    if not len(after):
        return sheet
    before, rows = before[: len(after)], rows[: len(after)]
    looked_at = len(range(2, sheet.height, step)) * (sheet.width - 2)
    beside = (rows[:, 2:], rows[:, :-2])
    if _lone(rows, *beside) / looked_at < _SPECKLED:  # so far it is nearly always decided
        return sheet
    lone = _lone(rows, *beside, before[:, 1:-1], after[:, 1:-1]) / looked_at
    if lone < _SPECKLED:
        return sheet
    return Sheet.all_of(np.asarray(cv2.medianBlur(sheet.whole, 3 if lone < 0.01 else 5), np.uint8))


def _lone(rows: Grey, *around: Grey) -> int:
    """How many pixels of these rows (the first and the last column left out) differ much from all around."""
    inner, highest, lowest = rows[:, 1:-1], around[0], around[0]
    for other in around[1:]:
        highest = np.asarray(cv2.max(highest, other), np.uint8)
        lowest = np.asarray(cv2.min(lowest, other), np.uint8)
    apart = cv2.max(cv2.subtract(inner, highest), cv2.subtract(lowest, inner))
    return cv2.countNonZero(_above(np.asarray(apart, np.uint8), 50))


def _without_noise(sheet: Sheet) -> Sheet:
    """The picture smoothed as much as its noise asks for."""
    noise = _noise(sheet)
    if noise < 2.5:
        return sheet
    return Sheet.all_of(
        np.asarray(cv2.GaussianBlur(sheet.whole, (0, 0), min(2.5, 0.7 + noise / 25)), np.uint8)
    )


def _noise(sheet: Sheet, apart: int = 1) -> float:
    """Standard deviation of the paper's noise, from how pixels `apart` from each other differ."""
    if min(sheet.width, sheet.height) <= 2 * FIELD:
        return 0.0
    step = max(1, sheet.height // 50)
    height, width = sheet.grey.shape
    if 2 * (height // step + 1) * (width + apart) < len(range(0, sheet.height, step)) * (sheet.width - apart):
        return 0.0  # most are of the margin, which does not differ
    sample = sheet.whole[::step]
    change = cv2.absdiff(sample[:, apart:], sample[:, :-apart])
    return _middle(np.asarray(change, np.uint8)) * 1.05  # 1.48 (median to deviation) / sqrt(2) (two pixels)


def _middle(levels: Grey) -> float:
    """The median, between two levels where it lies in a crowd of equal ones."""
    counts = histogram(levels).cumsum()
    half = counts[-1] / 2
    level = int(np.searchsorted(counts, half))
    before = counts[level - 1] if level else 0
    return max(0.0, level - 1 + (half - before) / (counts[level] - before)) if level else 0.0


def _strengthened(found: Darkness, weakest: int) -> tuple[Sheet, Sheet, float]:
    """Darkness scaled so that full ink is 255, where ink is, and the contrast; all that is no ink is 0."""
    dark, floor, least = found.dark, found.floor, found.least
    counts = dark.counts.copy()
    counts[: least + 1] = 0
    levels = np.flatnonzero(counts)
    if not len(levels):
        nothing = dark.mapped(np.zeros(256, np.uint8))
        return nothing, nothing, 0.0
    split, full = _strength(levels, counts[levels])
    table = _stretched(floor, full)
    ink = dark.mapped(table).part
    mask = _above(ink, min(max(255 * INK, float(table[least]), float(table[split])), weakest))
    ink = np.asarray(cv2.multiply(ink, cv2.dilate(mask, _NEXT)), np.uint8)
    return dark.holding(ink), dark.holding(mask), full / 255


@lru_cache(1024)
def _stretched(floor: float, full: int) -> Grey:
    """For each level of darkness that of ink: 0 up to `floor`, 255 from `full` on."""
    return np.asarray(np.clip((np.arange(256) - floor) * (255 / (full - floor)), 0, 255), np.uint8)


def _above(ink: NDArray[np.uint8], level: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(ink, level, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _strength(levels: NDArray[np.intp], counts: NDArray[np.float64]) -> tuple[int, int]:
    """Of the levels that occur: the one that parts weak ink (rulings, soft edges) from strong, and full ink.

    The level is Otsu's (1979): it makes the variance between the two classes largest.
    """
    reached, mass = counts.cumsum(), (counts * levels).cumsum()
    if len(levels) == 1:
        return 0, int(levels[0])
    below, above = reached[:-1], reached[-1] - reached[:-1]
    between = below * above * (mass[:-1] / below - (mass[-1] - mass[:-1]) / above) ** 2
    split = int(np.argmax(between))
    full = np.searchsorted(reached, below[split] + 0.75 * above[split])
    return int(levels[split]), int(levels[full])
