"""Whole numbers in reading order with boxes, whatever is between or next to the digits."""

from __future__ import annotations

import numpy as np
import pytest

from digits.reader import Reader
from tests.behaviour.drawing import drawing, picture, ruled, shadowed

NUMBER = drawing("20471", size=(620, 160), box=90, at=(40, 30), pen=8, step=1.4)
SECOND = drawing("3865", size=(620, 160), box=80, at=(90, 40), pen=8, step=1.5)


def _alike(text: str, truth: str) -> int:
    return sum(a == b for a, b in zip(text, truth, strict=False))


def test_a_number_is_read_digit_by_digit(reader: Reader) -> None:
    reading = reader.read(picture(NUMBER))
    assert len(reading.digits) == 5
    assert _alike(reading.text, "20471") >= 4
    lefts = [mark.box[0] for mark in reading.digits]
    assert lefts == sorted(lefts)


def test_boxes_lie_tight_around_the_ink(reader: Reader) -> None:
    for mark in reader.read(picture(NUMBER)).digits:
        left, top, right, bottom = mark.box
        ink = NUMBER[top:bottom, left:right] < 128
        assert ink[2].any() or ink[0].any() or ink[1].any()
        assert ink[:, :3].any()
        assert ink[:, -3:].any()
        assert ink[-3:].any()


def test_lines_are_read_from_top_to_bottom(reader: Reader) -> None:
    reading = reader.read(picture(np.concatenate([NUMBER, SECOND])))
    first, second = reading.text.split("\n")
    assert len(first) == 5
    assert len(second) == 4
    assert _alike(first, "20471") + _alike(second, "3865") >= 8


@pytest.mark.parametrize("spoilt", ["shadow", "rules", "specks", "dark", "large"])
def test_the_number_survives(reader: Reader, spoilt: str) -> None:
    plain = reader.read(picture(NUMBER)).text
    specks = NUMBER.copy()
    for x, y in np.random.default_rng(5).integers(2, 150, (12, 2)):
        specks[y : y + 3, 4 * x : 4 * x + 3] = 30
    changed = {
        "shadow": picture(shadowed(NUMBER)),
        "rules": picture(ruled(NUMBER, gap=30)),
        "specks": picture(specks),
        "dark": picture(255 - NUMBER),
        "large": picture(NUMBER).resize((3720, 960)),
    }[spoilt]
    assert _alike(reader.read(changed).text, plain) >= 4


def test_a_digit_in_two_pieces_stays_one(reader: Reader) -> None:
    broken = drawing("50", size=(400, 200), box=130, at=(40, 30), pen=10, step=1.5)
    rows = slice(75, 82)
    broken[rows, :140] = 255  # parts the upper part of the 5 from its belly
    assert len(reader.read(picture(broken)).digits) == 2


def test_touching_digits_are_cut(reader: Reader) -> None:
    touching = drawing("27", size=(400, 200), box=120, at=(60, 40), pen=10, step=0.86)
    reading = reader.read(picture(touching))
    assert len(reading.digits) == 2


def test_boxes_of_a_large_photo_are_in_its_own_pixels(reader: Reader) -> None:
    small = reader.read(picture(NUMBER)).digits
    large = reader.read(picture(NUMBER).resize((3720, 960))).digits
    assert len(small) == len(large)
    for mark, bigger in zip(small, large, strict=True):
        assert np.allclose(np.array(mark.box) * 6, bigger.box, atol=12)


def test_explanations_go_with_the_marks(reader: Reader) -> None:
    explained = reader.explain(picture(NUMBER))
    assert [part.box for part in explained] == [mark.box for mark in reader.read(picture(NUMBER)).digits]
    for part in explained:
        assert part.seen.shape == part.saliency.shape == (28, 28)
        assert part.seen.max() > 200
        assert float(np.abs(part.saliency).max()) == pytest.approx(1)
        assert not part.saliency[part.seen == 0].any()


def test_hints_say_what_would_help(reader: Reader) -> None:
    tiny = drawing("5", size=(100, 100), box=8, at=(40, 40), pen=1.5)
    faint = 255 - (255 - drawing("5")) // 20
    assert [part.hint for part in reader.explain(picture(tiny))] == ["too_small"]
    assert [part.hint for part in reader.explain(picture(faint))] == ["too_faint"]
    assert [part.hint for part in reader.explain(picture(drawing("5")))] == [None]


def test_a_dot_is_not_several_digits(reader: Reader) -> None:
    paper = np.full((480, 640), 255, np.uint8)
    rows, columns = np.ogrid[:480, :640]
    paper[(rows - 240) ** 2 / 34**2 + (columns - 320) ** 2 / 40**2 < 1] = 0
    assert reader.read(picture(paper)).text == "?"
    assert [part.hint for part in reader.explain(picture(paper))] == [None]
