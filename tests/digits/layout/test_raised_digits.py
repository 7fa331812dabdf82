"""Tests of distinguishing a small raised digit from a part of the digit next to it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from digits.ink.sheet import Box
from digits.layout.atoms import Atom, Run
from digits.layout.candidates import candidates_of
from digits.layout.raised_digits import raised_digits
from digits.network.model import Classification
from digits.reader import Reader
from pipeline.synthesis.writers import PenWriter

LARGE = (0, 0, 50, 100)
SMALL = (60, -10, 85, 30)


def raised(*marks: tuple[Box, int, float], single: bool = False) -> set[int]:
    """Indices of the marks (box, digit, probability), from the left, that are raised digits."""
    atoms = tuple(
        Atom(box, np.full((box[3] - box[1], box[2] - box[0]), 255, np.uint8)) for box, _, _ in marks
    )
    run = Run(atoms, 100.0, single=single)
    candidates = candidates_of(run, 4)
    probabilities = np.zeros((len(candidates), 10), np.float32)
    for row, candidate in enumerate(candidates):
        _, digit, sure = marks[candidate.first]
        probabilities[row, digit] = sure
    rejection = np.full(len(candidates), -7.0, np.float32)
    return raised_digits(run, candidates, Classification(probabilities, rejection))


def test_a_small_digit_high_beside_a_normal_one_is_raised() -> None:
    assert raised((LARGE, 3, 0.99), (SMALL, 2, 0.99)) == {1}
    left = (-40, -10, -15, 30)
    assert raised((left, 2, 0.99), (LARGE, 3, 0.99)) == {0}


def test_two_small_digits_one_behind_the_other_are_raised() -> None:
    assert raised((LARGE, 3, 0.99), (SMALL, 2, 0.99), ((95, -10, 120, 30), 5, 0.99)) == {1, 2}


@pytest.mark.parametrize(
    "box",
    [
        (60, 20, 85, 85),  # its foot is nearly as low as the other's
        (60, -10, 105, 68),  # as high as a digit
        (60, 0, 75, 25),  # no higher than dirt
        (53, -10, 78, 30),  # so near that it may be a part
    ],
)
def test_what_may_be_a_part_or_dirt_is_left_to_the_network(box: Box) -> None:
    assert raised((LARGE, 3, 0.99), (box, 2, 0.99)) == set()


@pytest.mark.parametrize(("large", "small"), [(0.9, 0.99), (0.99, 0.9)])
def test_both_have_to_be_plainly_read(large: float, small: float) -> None:
    assert raised((LARGE, 3, large), (SMALL, 2, small)) == set()


@pytest.mark.parametrize("digit", [0, 1])
def test_small_rings_and_strokes_are_degrees_and_apostrophes(digit: int) -> None:
    assert raised((LARGE, 3, 0.99), (SMALL, digit, 0.99)) == set()
    left, top, right, _ = SMALL
    assert raised((LARGE, 3, 0.99), ((left, top, right, 40), digit, 0.99)) == {1}


def test_a_box_for_one_digit_has_no_raised_one() -> None:
    assert raised((LARGE, 3, 0.99), (SMALL, 2, 0.99), single=True) == set()


def test_raised_digits_among_others_are_read() -> None:
    reader, wrong = Reader.load(), []
    for number, text in enumerate(["532", "4357", "5862", "1328", "6947", "235", "7894", "3326"]):
        rng = np.random.default_rng(number)
        writer, gap, paper = PenWriter(rng), int(rng.integers(8, 25)), np.zeros((200, 600), np.float32)
        raised, left = 1 + (number + len(text)) % (len(text) - 1), 60
        for place, digit in enumerate(text):
            ink = writer.digit(int(digit), 36 if place == raised else 90)
            top = 50 if place == raised else 150 - ink.shape[0]
            paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
            left += ink.shape[1] + gap
        said = reader.read(Image.fromarray((255 - 225 * paper).astype(np.uint8))).text
        if said.replace(" ", "") != text:
            wrong.append((text, said))
    assert not wrong
