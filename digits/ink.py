"""From any picture to its ink: paper 0, ink 1, whatever the light, the polarity and the dirt."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.field import BOX, FIELD, INK, InkMap, network_input
from digits.paper import Darkness, darkness, polarity, small_copy
from digits.picture import Grey, Layer, layer_of

__all__ = ["BOX", "FIELD", "INK", "Ink", "InkMap", "find_ink", "ink_map", "network_input"]

_FAINTEST = 0.035  # of the paper's light: less is no ink
_NOISE = 5.0  # standard deviations of the paper's noise: less is no ink
_PLAIN = 1.0  # polarity score above which the other way round is not worth trying
_SPECKLED = 0.0005  # of all pixels: more lone ones are noise, not dirt


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of a picture, at `shrink` times smaller than its upright `width` and `height`.

    `mask` is 1 where ink is, 0 on paper. `contrast` is the share of the paper's light that full ink
    takes away. `other_polarity` is set where the picture may as well be read the other way round.
    """

    map: InkMap
    mask: NDArray[np.uint8]
    contrast: float
    shrink: int
    width: int
    height: int
    other_polarity: bool = False


def ink_map(image: Image.Image) -> InkMap:
    """Ink of a picture in any mode and polarity: 0 is paper, 1 is full ink, shape (height, width).

    Transparent pixels are paper, uneven light is taken out. A picture of more than two megapixels
    gives a smaller map. Raises `ImageError` for a picture with a side of zero pixels.
    """
    return find_ink(image).map


def find_ink(image: Image.Image, turned: bool = False) -> Ink:
    """The ink of a picture; `turned` reads it in the polarity that seems less likely.

    Raises `ImageError` for a picture with a side of zero pixels.
    """
    layer = layer_of(image)
    grey = _without_salt(layer.grey)
    small = small_copy(grey)
    seems = polarity(small)
    if seems.ink_is_dark == turned:
        grey, small = 255 - grey, 255 - small
    dark, noise = _without_noise(darkness(grey, small))
    return _strengthened(dark, noise, layer, seems.plainness < _PLAIN)


def _without_salt(grey: Grey) -> Grey:
    """Lone pixels unlike all eight around them taken out, where there are many."""
    if min(grey.shape) <= FIELD * 2:
        return grey
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    above = cv2.subtract(grey, cv2.dilate(grey, ring))
    below = cv2.subtract(cv2.erode(grey, ring), grey)
    lone = int(np.count_nonzero(cv2.max(above, below) > 50)) / grey.size
    if lone < _SPECKLED:
        return grey
    return np.asarray(cv2.medianBlur(grey, 3 if lone < 0.01 else 5), np.uint8)


def _without_noise(dark: Darkness) -> tuple[Darkness, float]:
    """The darkness smoothed as much as its noise asks for, and the noise that is left."""
    noise = _noise(dark)
    if noise < 0.01:
        return dark, noise
    smooth = np.asarray(cv2.GaussianBlur(dark, (0, 0), min(2.5, 0.7 + 10 * noise)), np.float32)
    return smooth, _noise(smooth, apart=6)


def _noise(dark: Darkness, apart: int = 1) -> float:
    """Standard deviation of the paper's noise, from how pixels `apart` from each other differ."""
    if min(dark.shape) <= 2 * FIELD:
        return 0.0
    sample = dark[:: max(1, dark.shape[0] // 150)]
    change = np.abs(sample[:, apart::2] - sample[:, : -apart or None : 2])
    return float(np.median(change)) * 1.05  # 1.48 (median to deviation) / sqrt(2) (two pixels)


def _strengthened(dark: Darkness, noise: float, layer: Layer, doubt: bool) -> Ink:
    """Darkness scaled so that full ink is 1, with all that is no ink set to 0."""
    floor = float(np.median(dark[::4, ::4])) if noise else 0.0
    least = max(_FAINTEST, floor + _NOISE * noise)
    candidates = dark[dark > least]
    size = (layer.shrink, layer.width, layer.height)
    if not candidates.size:
        nothing = np.zeros_like(dark)
        return Ink(nothing, nothing.astype(np.uint8), 0.0, *size)
    split, full = _strength(candidates)
    ink = np.clip((dark - floor) / (full - floor), 0, 1)
    level = min(max(INK, (least - floor) / (full - floor), split / full), 0.6)
    mask = (ink > level).astype(np.uint8)
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return Ink(ink * near, mask, full, *size, doubt)


def _strength(candidates: NDArray[np.float32]) -> tuple[float, float]:
    """The level that parts weak ink (rulings, soft edges) from strong, and that of full ink."""
    counts = np.asarray(candidates * 255, np.uint8).reshape(1, -1)
    level, _ = cv2.threshold(counts, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    strong = candidates[candidates > level / 255]
    if not strong.size:
        strong = candidates
    return level / 255, float(np.percentile(strong[:: max(1, strong.size // 4000)], 75))
