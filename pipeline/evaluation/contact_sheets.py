"""Contact sheets of digits, with one row per class so that wrong labels stand out, and of other marks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digits.network.contract import CLASSES
from pipeline.mnist.dataset import Digits

COLUMNS = 14
CELL = 64  # side of a cell in pixels: a 28x28 digit at twice its size, with a margin
MARGIN = 4


def digit_contact_sheet(digits: Digits, seed: int) -> Image.Image:
    """Draw up to 14 random digits of each class, dark on white; each row begins with its class."""
    generator = np.random.default_rng(seed)
    picture = Image.new("L", ((COLUMNS + 1) * CELL, CLASSES * CELL), 255)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(CELL // 2)
    for digit in range(CLASSES):
        middle = (CELL // 2, digit * CELL + CELL // 2)
        draw.text(middle, str(digit), fill=128, font=font, anchor="mm")
        places = np.flatnonzero(digits.labels == digit)
        for column, place in enumerate(generator.permutation(places)[:COLUMNS], 1):
            image = Image.fromarray(255 - digits.images[place])
            side = CELL - 2 * MARGIN
            cell = image.resize((side, side), Image.Resampling.NEAREST)
            picture.paste(cell, (column * CELL + MARGIN, digit * CELL + MARGIN))
    return picture


def mark_contact_sheet(images: NDArray[np.uint8]) -> Image.Image:
    """Draw the first 150 of the images (n, 28, 28), dark on white, 15 per row."""
    picture = Image.new("L", ((COLUMNS + 1) * CELL, CLASSES * CELL), 255)
    side = CELL - 2 * MARGIN
    for number, image in enumerate(images[: (COLUMNS + 1) * CLASSES]):
        row, column = divmod(number, COLUMNS + 1)
        cell = Image.fromarray(255 - image).resize((side, side), Image.Resampling.NEAREST)
        picture.paste(cell, (column * CELL + MARGIN, row * CELL + MARGIN))
    return picture
