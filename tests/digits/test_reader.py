from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digits.network.probabilities import all_right
from digits.reader import Reader

Make = Callable[..., Path]


def _sheet(*lefts: int, size: tuple[int, int] = (200, 400)) -> Image.Image:
    pixels = np.full(size, 255, np.uint8)
    for left in lefts:
        pixels[60:140, left : left + 10] = 0
        pixels[130:140, left : left + 40] = 0
    return Image.fromarray(pixels)


def test_predict_says_what_the_network_says(make_folder: Make) -> None:
    answer = Reader.load(make_folder(version="12")).predict(_sheet(100))
    assert answer.rejected is None
    assert answer.model == "12"
    assert answer.digit is not None
    assert answer.probabilities is not None
    assert answer.confidence == max(answer.probabilities) == answer.probabilities[answer.digit]
    assert sum(answer.probabilities) == pytest.approx(1)


def test_predict_keeps_the_probabilities_of_what_it_rejects(make_folder: Make) -> None:
    answer = Reader.load(make_folder(rejection_threshold=-1000.0)).predict(_sheet(100))
    assert (answer.digit, answer.confidence, answer.rejected) == (None, None, "not_a_digit")
    assert answer.probabilities == Reader.load(make_folder()).predict(_sheet(100)).probabilities
    assert answer.probabilities is not None


@pytest.mark.parametrize(("side", "accepted"), [(20, True), (21, False)])
def test_a_picture_of_very_few_pixels_has_a_threshold_of_its_own(
    make_folder: Make, side: int, accepted: bool
) -> None:
    folder = make_folder(rejection_threshold=-1000.0, scan_rejection_threshold=1000.0)
    paper = np.full((side, side), 255, np.uint8)
    paper[3:17, 8:12] = 0
    answer = Reader.load(folder).predict(Image.fromarray(paper))
    assert (answer.rejected is None) is accepted
    assert (Reader.load(folder).read(Image.fromarray(paper)).digits[0].rejected is None) is accepted


def test_read_marks_what_it_rejects(make_folder: Make) -> None:
    reading = Reader.load(make_folder(rejection_threshold=-1000.0)).read(_sheet(50, 200))
    assert reading.text == "? ?"  # so far apart, they are two numbers
    assert [number.confidence for number in reading.numbers] == [None, None]
    assert [mark.rejected for mark in reading.digits] == ["not_a_digit"] * 2


def test_read_gives_boxes_in_reading_order(make_folder: Make) -> None:
    reading = Reader.load(make_folder()).read(_sheet(250, 50, 150))
    assert [mark.box for mark in reading.digits] == [(x, 60, x + 40, 140) for x in (50, 150, 250)]


def test_read_gives_boxes_within_a_shrunken_photo(make_folder: Make) -> None:
    reading = Reader.load(make_folder()).read(_sheet(360, size=(200, 400)).resize((4001, 2001)))
    ((left, top, right, bottom),) = [mark.box for mark in reading.digits]
    assert 0 <= left < right <= 4001
    assert 0 <= top < bottom <= 2001
    assert left == pytest.approx(3600, abs=15)


def test_read_puts_marks_that_stand_close_into_one_number(make_folder: Make) -> None:
    reading = Reader.load(make_folder()).read(_sheet(50, 100, 250))
    assert [number.marks for number in reading.numbers] == [(0, 1), (2,)]
    assert [number.box for number in reading.numbers] == [(50, 60, 140, 140), (250, 60, 290, 140)]
    assert " ".join(number.text for number in reading.numbers) == reading.text
    assert {(number.row, number.column) for number in reading.numbers} == {(None, None)}
    for number in reading.numbers:
        each = [reading.digits[index].confidence for index in number.marks]
        assert number.confidence == pytest.approx(all_right([one for one in each if one is not None]))


def test_reader_answers_alike_in_many_threads(make_folder: Make) -> None:
    reader = Reader.load(make_folder())
    sheets = [_sheet(20 + 8 * k) for k in range(24)]
    alone = [reader.read(sheet) for sheet in sheets]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader.read, sheets)) == alone


def test_reading_changes_no_pixel_of_the_picture(make_folder: Make) -> None:
    reader, sheet = Reader.load(make_folder()), _sheet(100)
    before = sheet.tobytes()
    reader.predict(sheet)
    reader.read(sheet)
    reader.explain(sheet)
    assert sheet.tobytes() == before


@pytest.mark.parametrize("seed", range(30))
def test_reader_survives_any_pixels(make_folder: Make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mode, channels = [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)][seed % 4]
    height, width = rng.integers(1, [3, 60, 400][seed % 3], 2)
    values = rng.integers(0, rng.integers(2, 257), (height, width, channels)).astype(np.uint8)
    image = Image.fromarray(values[..., 0] if mode == "L" else values)
    reader = Reader.load(make_folder())
    assert reader.predict(image).rejected in (None, "blank", "not_a_digit")
    reading = reader.read(image)
    assert len("".join(reading.text.split())) == len(reading.digits) == len(reader.explain(image))
    assert [k for number in reading.numbers for k in number.marks] == list(range(len(reading.digits)))
