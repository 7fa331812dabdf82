from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.mnist.dataset import Digits
from pipeline.synthesis.forms import DIGITS, strokes
from pipeline.synthesis.pen import cropped, curve
from pipeline.synthesis.unseen_forms import UNSEEN
from pipeline.synthesis.writers import MnistWriter, PenWriter, habits_of, inked
from tests.sources import closure


def leaning(count: int = 200) -> Digits:
    """Bars: of each class half lean to one side and are thin, half lean to the other and are thick."""
    images = np.zeros((count, 28, 28), np.uint8)
    for number, image in enumerate(images):
        side, width = (1, 2) if number // 10 % 2 else (-1, 6)
        for row in range(4, 24):
            left = 12 + side * (row - 14) // 3
            image[row, left : left + width] = 255
    return Digits(images, np.arange(count, dtype=np.uint8) % 10)


def test_training_never_sees_these_forms() -> None:
    assert sorted(UNSEEN) == list(range(10))
    for digit, forms in UNSEEN.items():
        assert len(set(forms)) >= 3
        assert not set(forms) & {form for _, form in DIGITS[digit]}
    for start in ("preprocess", "train", "search", "synthesis/sets", "synthesis/prototypes"):
        assert Path("pipeline/synthesis/unseen_forms.py") not in closure(Path(f"pipeline/{start}.py"))


@pytest.mark.parametrize("height", [14, 40, 200])
@pytest.mark.parametrize("digit", range(10))
def test_a_hand_writes_as_high_as_it_is_asked_to(digit: int, height: float) -> None:
    ink = PenWriter(np.random.default_rng(digit)).digit(digit, height)
    assert 0.75 * height <= ink.shape[0] <= height + 3
    assert ink.shape[1] <= 1.3 * height + 3
    assert ink.dtype == np.float32
    assert ink.max() > 0.6


def test_a_hand_stays_the_same_and_hands_differ() -> None:
    pens = [PenWriter(np.random.default_rng(seed)).pen for seed in range(30)]
    assert max(pens) > 2 * min(pens)
    first, again = (PenWriter(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.digit(4, 50), again.digit(4, 50))


def test_pens_between_whole_pixels() -> None:
    curves = [curve(one.points, one.corners) for one in strokes("0,0 0,100")]
    areas = [inked(curves, 60, width).sum() for width in (1.0, 1.7, 2.4)]
    assert areas[0] < areas[1] < areas[2]


def test_mnist_digits_of_one_hand_are_alike() -> None:
    digits = leaning()
    habits = habits_of(digits)
    assert habits.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    for seed in range(6):
        writer = MnistWriter(digits, habits, np.random.default_rng(seed))
        inks = [writer.digit(digit, 60) for digit in range(10)]
        assert {ink.shape[0] for ink in inks} <= {59, 60, 61}
        shares = [float(ink.mean()) for ink in inks]
        assert max(shares) - min(shares) < 0.1


def test_empty_rows_and_columns_go() -> None:
    ink = np.zeros((9, 9), np.float32)
    assert cropped(ink).shape == (9, 9)
    ink[3:5, 2:8] = 1
    assert cropped(ink).shape == (2, 6)
