"""Tests of distinguishing print from handwriting by how uniform it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digits.layout.atoms import Atom
from digits.layout.even_digits import Digit, evenness, likeness
from digits.network.network_input import InkLevels
from pipeline.synthesis.numbers import written
from pipeline.synthesis.writers import PenWriter

STEP = 60  # pixels from row to row


def atom(ink: InkLevels, left: int, top: int) -> Atom:
    return Atom((left, top, left + ink.shape[1], top + ink.shape[0]), ink)


def typed(text: str, left: int, foot: int, size: int = 40) -> list[Digit]:
    """The digits of a printed number."""
    found = []
    for character in text:
        paper = Image.new("L", (2 * size, 2 * size))
        font = ImageFont.load_default(size)
        ImageDraw.Draw(paper).text((size / 2, 1.5 * size), character, fill=255, font=font, anchor="ls")
        x, y, right, bottom = paper.getbbox() or (0, 0, 1, 1)
        ink = np.asarray(paper, np.uint8)[y:bottom, x:right]
        found.append(Digit.of(atom(ink, left + x, foot + y - 3 * size // 2), int(character)))
        left += round(0.6 * size)
    return found


def by_hand(text: str, foot: int, rng: np.random.Generator, writer: PenWriter) -> list[Digit]:
    number = written(text, writer, 30, rng)
    ink = np.rint(number.ink * 255).astype(np.uint8)
    left, top = 20 + round(rng.normal(0, 1.2)), foot + round(rng.normal(0, 1.2)) - ink.shape[0]
    return [Digit.of(atom(ink, left, top), int(text))]


@pytest.mark.parametrize("moved", [0.0, 0.25, 0.5])
def test_edges_lie_between_pixels(moved: float) -> None:
    ink = np.zeros((40, 30), np.uint8)
    ink[10:30, 8:20] = 255
    shift = np.array([[1, 0, moved], [0, 1, moved]])
    ink = np.asarray(cv2.warpAffine(ink, shift, (30, 40)), np.uint8)
    digit = Digit.of(atom(ink, 100, 200), 1)
    assert (digit.left, digit.right) == pytest.approx((108 + moved, 120 + moved), abs=0.3)
    assert (digit.top, digit.bottom) == pytest.approx((210 + moved, 230 + moved), abs=0.3)


def test_a_column_of_type_is_even() -> None:
    column = [typed(str(row), 20, STEP * row) for row in range(1, 13)]
    found = evenness(column, range(12))
    assert found.score < -3
    assert found.even.all()


def test_what_strays_in_a_column_of_type_is_left_out() -> None:
    column = [typed(str(row), 20, STEP * row + (6 if row == 4 else 0)) for row in range(1, 13)]
    found = evenness(column, range(12))
    assert found.score < -3
    assert [place for place, is_even in enumerate(found.even) if not is_even] == [3]


@pytest.mark.parametrize("seed", range(8))
def test_a_column_by_hand_is_not_even(seed: int) -> None:
    rng = np.random.default_rng(seed)
    writer = PenWriter(rng, tremor=0.0)
    column = [
        by_hand(str(digit), STEP * row, rng, writer) for row, digit in enumerate(rng.integers(0, 10, 12))
    ]
    assert evenness(column, range(12)).score > -1


def test_so_few_numbers_say_nothing() -> None:
    column = [typed(str(row), 20, STEP * row) for row in range(1, 4)]
    assert evenness(column, range(3)).score == np.inf


def test_digits_are_like_those_of_their_class_and_size_alone() -> None:
    small, large = typed("38", 20, 100), typed("3", 20, 200, size=60)
    assert likeness(small, typed("83", 70, 100), small[0].height) == pytest.approx([1, 1], abs=0.01)
    assert likeness(large, small, small[0].height).tolist() == [0]
    assert likeness(small, small, small[0].height).tolist() == [0, 0]  # none is its own twin
