"""From any picture to ink, and from ink to the 28x28 pixels that the network sees.

The network's input is MNIST's own recipe (LeCun et al., http://yann.lecun.com/exdb/mnist/): ink
bright on black, its longer side 20 pixels, its centre of mass in the middle of a 28x28 field.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from digits.errors import ImageError

FIELD = 28  # pixels, the side of what the network sees
BOX = 20  # pixels, the longer side of the ink in it

InkMap = NDArray[np.float32]
"""(height, width), 0 where there is paper, 1 where there is full ink."""

_BLANK_CONTRAST = 12  # grey levels of 255: less between the darkest and the lightest is no ink
INK = 0.25  # of full ink: less does not count when the ink's box is measured


def ink_map(image: Image.Image) -> InkMap:
    """Ink of a picture in any mode and polarity: 0 is paper, 1 is full ink, shape (height, width).

    Transparent pixels are paper. Which of dark and light is ink is decided by the border: a drawing
    leaves paper at its edges. A picture with no contrast is all paper.

    Raises `ImageError` for a picture with a side of zero pixels.
    """
    if 0 in image.size:
        raise ImageError("The picture has a side of zero pixels: send one with at least 1x1.")
    grey = _grey(image)
    low, high = float(grey.min()), float(grey.max())
    if high - low < _BLANK_CONTRAST:
        return np.zeros(grey.shape, np.float32)
    light = (grey.astype(np.float32) - low) / (high - low)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return 1 - light if np.median(border) > 0.5 else light


def network_input(ink: InkMap) -> NDArray[np.float32] | None:
    """The ink of one digit as the network sees it: (28, 28), values 0..255; None where no ink is."""
    rows, columns = (np.flatnonzero((ink > INK).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(ink, (width, height), interpolation=method), np.float32)
    return _centred(small) * np.float32(255)


def _centred(small: InkMap) -> InkMap:
    """Ink of at most 20x20 laid into the 28x28 field with its centre of mass in the middle."""
    height, width = small.shape
    mass = small.sum()
    top = round(FIELD / 2 - float(small.sum(axis=1) @ (np.arange(height) + 0.5)) / mass)
    left = round(FIELD / 2 - float(small.sum(axis=0) @ (np.arange(width) + 0.5)) / mass)
    top, left = min(max(top, 0), FIELD - height), min(max(left, 0), FIELD - width)
    field = np.zeros((FIELD, FIELD), np.float32)
    field[top : top + height, left : left + width] = small
    return field


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return _over_paper(rgba)
    return np.asarray(image.convert("L"))


def _over_paper(rgba: Image.Image) -> NDArray[np.uint8]:
    """A drawing on a transparent sheet, laid on the paper that its ink can be seen on."""
    pixels = np.asarray(rgba)
    alpha = pixels[..., 3:].astype(np.float32) / 255
    grey = np.asarray(rgba.convert("L"), np.float32)
    drawn = grey[alpha[..., 0] > 0.5]
    paper = 0.0 if drawn.size and drawn.mean() > 127 else 255.0
    return np.asarray(grey * alpha[..., 0] + paper * (1 - alpha[..., 0])).astype(np.uint8)
