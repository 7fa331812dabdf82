"""What must not change an answer: place, size, polarity, pen, light, paper, file."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from digits.reader import Reader
from tests.behaviour.drawing import Grey, drawing, picture, ruled, shadowed


def _transparent(pixels: Grey, colour: int) -> Image.Image:
    ink = np.full_like(pixels, colour)
    return Image.fromarray(np.dstack([ink, ink, ink, 255 - pixels]))


def _coloured(pixels: Grey, paper: tuple[int, int, int], ink: tuple[int, int, int]) -> Image.Image:
    share = pixels[..., None] / 255
    return Image.fromarray(np.asarray(np.array(paper) * share + np.array(ink) * (1 - share), np.uint8))


def _jpeg(pixels: Grey) -> Image.Image:
    stream = io.BytesIO()
    picture(pixels).save(stream, "JPEG", quality=20)
    return Image.open(stream)


def _turned(pixels: Grey) -> Image.Image:
    """The picture rotated by a quarter, with the EXIF orientation that undoes it."""
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(np.rot90(pixels)).save(stream, "JPEG", quality=95, exif=exif)
    return Image.open(stream)


def _noisy(pixels: Grey) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 20, pixels.shape)
    return picture(np.clip(pixels * 0.8 + 20 + noise, 0, 255).astype(np.uint8))


CHANGES: dict[str, Callable[[Grey], Image.Image]] = {
    "light on dark": lambda pixels: picture(255 - pixels),
    "dark mode": lambda pixels: picture((255 - pixels) // 2 + 30),
    "transparent, black ink": lambda pixels: _transparent(pixels, 0),
    "transparent, white ink": lambda pixels: _transparent(pixels, 255),
    "yellow on white": lambda pixels: _coloured(pixels, (255, 255, 255), (255, 235, 60)),
    "red on green": lambda pixels: _coloured(pixels, (150, 200, 150), (230, 60, 60)),
    "palette": lambda pixels: picture(pixels).convert("P"),
    "one bit": lambda pixels: picture(pixels).convert("1"),
    "sixteen bits": lambda pixels: Image.fromarray(pixels.astype(np.uint16) * 257),
    "CMYK": lambda pixels: picture(pixels).convert("RGB").convert("CMYK"),
    "JPEG": _jpeg,
    "lying, with EXIF": _turned,
    "faint": lambda pixels: picture(255 - (255 - pixels) // 6),
    "shadow": lambda pixels: picture(shadowed(pixels)),
    "shadow on the dark side": lambda pixels: picture(shadowed(pixels, 0.7)),
    "ruled": lambda pixels: picture(ruled(pixels)),
    "squared, turned": lambda pixels: picture(ruled(pixels, level=90, squared=True, slope=0.2)),
    "noise": _noisy,
    "a photo's size": lambda pixels: picture(pixels).resize((2800, 2800)),
    "small": lambda pixels: picture(pixels).resize((56, 56), Image.Resampling.BOX),
}


@pytest.mark.parametrize("change", CHANGES)
def test_answers_survive(reader: Reader, change: str) -> None:
    same = 0
    for digit in "0123456789":
        plain = drawing(digit)
        same += reader.predict(picture(plain)).digit == reader.predict(CHANGES[change](plain)).digit
    assert same >= 9


@pytest.mark.parametrize("at", [(8, 8), (100, 8), (8, 100), (120, 105)])
def test_answers_do_not_depend_on_the_place(reader: Reader, at: tuple[float, float]) -> None:
    for digit in "0123456789":
        middle, moved = (reader.predict(picture(drawing(digit, at=place))) for place in ((80, 60), at))
        assert moved.digit == middle.digit
        assert moved.probabilities == pytest.approx(middle.probabilities, abs=0.05)


@pytest.mark.parametrize(("box", "pen"), [(40, 4), (90, 8), (230, 18), (160, 3), (160, 24)])
def test_answers_do_not_depend_on_size_and_pen(reader: Reader, box: float, pen: float) -> None:
    right = sum(
        reader.predict(picture(drawing(digit, box=box, pen=pen, at=(30, 20)))).digit == int(digit)
        for digit in "0123456789"
    )
    assert right >= 9


def test_more_of_the_digit_makes_the_answer_surer(reader: Reader) -> None:
    whole = drawing("8")
    upper = whole.copy()
    upper[130:] = 255
    full, half = (reader.predict(picture(pixels)).probabilities for pixels in (whole, upper))
    assert full is not None
    assert half is not None
    assert full[8] > half[8]
