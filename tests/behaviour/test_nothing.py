"""Empty sheets are blank, and marks that are not digits do not get a confident answer."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digits.reader import Reader
from tests.behaviour.drawing import drawing, picture, ruled, shadowed

WHITE = np.full((300, 300), 255, np.uint8)


def _as_jpeg(pixels: NDArray[np.uint8]) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=30)
    return Image.open(stream)


def _grainy(level: float, spread: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(level, spread, (300, 300))
    return np.clip(noise, 0, 255).astype(np.uint8)


BLANK = {
    "white": picture(WHITE),
    "black": picture(255 - WHITE),
    "one pixel": picture(WHITE[:1, :1]),
    "transparent": Image.new("RGBA", (300, 300), (0, 0, 0, 0)),
    "a shadow": picture(shadowed(WHITE)),
    "a shadow as JPEG": _as_jpeg(shadowed(WHITE)),
    "ruled": picture(ruled(WHITE)),
    "squared and turned": picture(ruled(WHITE, level=60, squared=True, slope=0.3)),
    "ruled in shadow": picture(shadowed(ruled(WHITE, level=200))),
    "grain": picture(_grainy(200, 12)),
    "grain as JPEG": _as_jpeg(_grainy(180, 25)),
    "a falling light": picture(np.tile(np.linspace(120, 240, 300).astype(np.uint8), (300, 1))),
    "a speck": picture(np.where(np.hypot(*np.mgrid[-150:150, -100:200]) < 2, 0, 255).astype(np.uint8)),
}


@pytest.mark.parametrize("kind", BLANK)
def test_a_sheet_without_writing_is_blank(reader: Reader, kind: str) -> None:
    answer = reader.predict(BLANK[kind])
    assert answer.rejected == "blank"
    assert answer.digit is None
    assert answer.probabilities is None
    reading = reader.read(BLANK[kind])
    assert (reading.text, reading.digits) == ("", ())
    assert reader.explain(BLANK[kind]) == ()


def test_specks_change_no_answer(reader: Reader) -> None:
    rng = np.random.default_rng(3)
    same = 0
    for digit in "0123456789":
        clean = drawing(digit)
        dirty = clean.copy()
        for x, y in rng.integers(5, 270, (8, 2)):
            dirty[y : y + 4, x : x + 4] = 40
        same += reader.predict(picture(clean)).digit == reader.predict(picture(dirty)).digit
        assert reader.read(picture(dirty)).text == reader.read(picture(clean)).text
    assert same == 10
