from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pipeline.synthesis import negatives as made
from pipeline.synthesis.negatives import NAMED, NOT_A_DIGIT, Drawing, marks_of, negatives


def test_negatives_carry_the_eleventh_label_and_ink() -> None:
    marks = negatives(60, seed=1)
    assert marks.images.shape == (60, 28, 28)
    assert set(marks.labels.tolist()) == {NOT_A_DIGIT}
    assert (marks.images.max(axis=(1, 2)) > 100).all()


def test_negatives_follow_from_the_seed() -> None:
    first, again, other = negatives(20, seed=1), negatives(20, seed=1), negatives(20, seed=2)
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_dash_lies() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        (line,) = made.dash(random)
        assert np.ptp(line[:, 0]) > 1.3 * np.ptp(line[:, 1])


def test_scribble_winds_more_than_a_digit() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        steps = np.diff(np.concatenate([part - part[0] for part in made.scribble(random)]), axis=0)
        assert len(steps) >= 20
        assert np.ptp(np.arctan2(steps[:, 1], steps[:, 0])) > 1.5


@pytest.mark.parametrize("kind", [made.dots, made.glyph, made.half, made.sign])
def test_marks_of_pixels_are_ink(kind: Callable[[np.random.Generator], Drawing]) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        ink = kind(random)
        assert isinstance(ink, np.ndarray)
        assert 0.9 < ink.max() <= 1
        assert 0 <= ink.min() < 0.1


@pytest.mark.parametrize("kind", list(NAMED))
def test_marks_of_a_kind_have_ink_and_are_none_of_another_kind(kind: str) -> None:
    marks = marks_of(kind, 40, seed=1)
    assert set(marks.labels.tolist()) == {NOT_A_DIGIT}
    assert (marks.images.max(axis=(1, 2)) > 100).all()
    others = {image.tobytes() for other in NAMED if other != kind for image in marks_of(other, 40, 1).images}
    assert not others & {image.tobytes() for image in marks.images}


def test_dashes_lie_and_the_two_lines_of_equals_are_apart() -> None:
    def pieces(image: np.ndarray) -> int:
        return int(cv2.connectedComponents((image > 60).astype(np.uint8))[0]) - 1

    dashes, equals = marks_of("dash", 20, seed=2).images, marks_of("equals", 20, seed=2).images
    assert sum(pieces(image) == 1 for image in dashes) >= 19
    assert sum(pieces(image) == 2 for image in equals) >= 14


def test_borders_are_straight_lines_along_both_sides() -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        ink = made.border(random)
        assert isinstance(ink, np.ndarray)
        rows, columns = ink.sum(axis=1), ink.sum(axis=0)
        assert rows.max() > 0.35 * ink.shape[1]
        assert columns.max() > 0.35 * ink.shape[0]
