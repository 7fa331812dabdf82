"""Drawings that pass through the service's code, compared with a reference made of other digits.

The reference uses one half of a thousand real digits, and all windows are drawn from the other half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom

from digits import Reader
from pipeline.evaluation.metrics import read_redrawn
from pipeline.mnist.dataset import Digits
from pipeline.monitoring.reference import reference
from pipeline.monitoring.significance import judged
from pipeline.synthesis.canvas import canvases, restroked
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import Sheet
from service.endpoints import images
from service.pictures.decode import opened
from service.runtime.traffic import Traffic
from tests.traffic.windows import real_digits
from traffic.counts import Counts
from traffic.drift import LEVEL, comparisons
from traffic.drift import judged as judged_by_service
from traffic.slots import REFERENCE_JSON, Reference

WINDOWS, PICTURES = 20, 120


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="module")
def halves() -> tuple[Digits, Digits]:
    """Five hundred real digits for the reference, and five hundred others for windows."""
    every = real_digits()
    return every.take(np.arange(0, every.total, 2)), every.take(np.arange(1, every.total, 2))


@pytest.fixture(scope="module")
def known(reader: Reader, halves: tuple[Digits, Digits]) -> Reference:
    """The reference, made as `evaluate` makes it."""
    counts = Counts()
    read_redrawn(reader, halves[0], 500, 1, counts)
    return REFERENCE_JSON.validate_json(reference(reader, halves[0], counts, 0, 1))


def normal(digits: Digits, seed: int, pictures: int = PICTURES) -> Iterator[Image.Image]:
    order = np.random.default_rng(seed).permutation(digits.total)[:pictures]
    return (canvas for _, canvas in canvases(digits.take(order).images, seed))


def drifted(reader: Reader, known: Reference, pictures: Iterable[Image.Image], kind: str = "PNG") -> set[str]:
    """Return the features in which these pictures have drifted; the command and the gauges must agree."""
    counts = Traffic(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "TRAFFIC", counts)
        for picture in pictures:
            file = BytesIO()
            picture.save(file, kind)
            images.predict(reader, opened(file.getvalue()))
    window = Counts()
    for slot in counts.slots():
        window.add(slot.counts)
    found = comparisons(window, Counts.of(known.counts))
    assert found
    names = {one.name for one, _ in judged(found, LEVEL) if one.drifted}
    assert names == {one.name for one in judged_by_service(found, known.critical) if one.drifted}
    return names


def test_normal_drawing_is_quiet(reader: Reader, halves: tuple[Digits, Digits], known: Reference) -> None:
    alarms = [drifted(reader, known, normal(halves[1], 100 + seed)) for seed in range(WINDOWS)]
    assert len([one for one in alarms if one]) <= binom.ppf(0.999, WINDOWS, LEVEL), alarms


def test_inverted_drawings_are_found(reader: Reader, halves: tuple[Digits, Digits], known: Reference) -> None:
    inverted = (Image.fromarray(255 - np.asarray(one)) for one in normal(halves[1], 7))
    assert drifted(reader, known, inverted) == {"paper"}


def test_a_fifth_of_inverted_drawings_is_found(
    reader: Reader, halves: tuple[Digits, Digits], known: Reference
) -> None:
    """With fewer than two hundred pictures, too few are dark to form a bin of their own."""
    some = (
        one if number % 5 else Image.fromarray(255 - np.asarray(one))
        for number, one in enumerate(normal(halves[1], 8, 200))
    )
    assert "paper" in drifted(reader, known, some)


def test_thin_pens_are_found(reader: Reader, halves: tuple[Digits, Digits], known: Reference) -> None:
    """The usual sizes and positions, but strokes half as wide."""
    assert "stroke" in drifted(reader, known, map(thin, normal(halves[1], 9)))


def test_photos_are_found(reader: Reader, halves: tuple[Digits, Digits], known: Reference) -> None:
    rng = np.random.default_rng(3)
    assert "paper" in drifted(reader, known, (photo(one, rng) for one in normal(halves[1], 10)), "JPEG")


def thin(drawing: Image.Image) -> Image.Image:
    ink = 1 - np.asarray(drawing, np.float32) / 255
    thinner = restroked(np.pad(ink, 8), 0.5)
    paper = np.zeros_like(ink)
    height, width = (min(side, room) for side, room in zip(thinner.shape, ink.shape, strict=True))
    top, left = (ink.shape[0] - height) // 2, (ink.shape[1] - width) // 2
    paper[top : top + height, left : left + width] = thinner[:height, :width]
    return Image.fromarray((255 * (1 - paper)).round().astype(np.uint8))


def photo(drawing: Image.Image, rng: np.random.Generator) -> Image.Image:
    sheet = Sheet(*drawing.size, edge="paper")
    sheet.write(np.asarray(1 - np.asarray(drawing, np.float32) / 255, np.float32), 0, 0)
    return photographed(sheet, rng)
