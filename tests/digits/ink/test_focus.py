from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digits.ink.extraction import find_darkness
from digits.ink.focus import Blur, blur_of, focused
from digits.ink.sheet import Sheet, small_copy

Grey = NDArray[np.uint8]


def _written(height: int = 640, width: int = 720) -> Grey:
    """Pen strokes in many directions, on paper with more than one level."""
    rng = np.random.default_rng(0)
    grey = np.asarray(rng.integers(196, 201, (height, width)), np.uint8)
    for x, y, turn in zip(
        rng.integers(40, width - 40, 60),
        rng.integers(40, height - 40, 60),
        rng.uniform(0, np.pi, 60),
        strict=True,
    ):
        end = (int(x + 30 * np.cos(turn)), int(y + 30 * np.sin(turn)))
        cv2.line(grey, (int(x), int(y)), end, 40, 6, cv2.LINE_AA)
    return grey


def _blurred(grey: Grey, width: float) -> Grey:
    """The picture out of focus, with as little noise as a camera has, so that paper has several levels."""
    noise = np.random.default_rng(2).integers(0, 2, grey.shape)
    return np.asarray(np.clip(cv2.GaussianBlur(grey, (0, 0), width) + noise, 0, 255), np.uint8)


def _focused(grey: Grey, ink_is_dark: bool = True) -> tuple[Grey, int]:
    sheet = Sheet.all_of(grey)
    found, smaller = focused(sheet, small_copy(sheet), ink_is_dark)
    return found.whole, smaller


@pytest.mark.parametrize("width", [3.0, 4.5, 7.0])
def test_the_width_of_a_blur_is_found(width: float) -> None:
    found = blur_of(_blurred(_written(), width))
    assert found is not None
    assert found.width == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize("width", [0.5, 1.0, 1.5])
def test_a_picture_in_focus_stays_as_it_is(width: float) -> None:
    grey = _blurred(_written(), width)
    found, smaller = _focused(grey)
    assert found is grey
    assert smaller == 1


@pytest.mark.parametrize(("width", "height"), [(721, 643), (640, 640)])
def test_strokes_that_ran_together_are_two_again(width: int, height: int) -> None:
    grey = _written(height, width)
    grey[200:300, 300:400] = 198
    cv2.line(grey, (340, 210), (340, 290), 40, 6)
    cv2.line(grey, (356, 210), (356, 290), 40, 6)
    blurred = _blurred(grey, 6.0)
    found, smaller = _focused(blurred)
    assert smaller == 2
    before, after = (
        np.asarray(row, int) for row in (blurred[250, [340, 348, 356]], found[125, [170, 174, 178]])
    )
    assert before[1] - before[[0, 2]].mean() < 20
    assert after[1] - after[[0, 2]].mean() > 40


def test_a_slight_blur_does_not_change_the_size() -> None:
    grey = _blurred(_written(643, 721), 3.0)
    found, smaller = _focused(grey)
    assert found.shape == grey.shape
    assert smaller == 1
    assert found.min() < grey.min() - 20


@pytest.mark.parametrize("ink_is_dark", [True, False])
def test_paper_beside_strokes_gets_no_lighter(ink_is_dark: bool) -> None:
    grey = _blurred(_written(), 5.0)
    if not ink_is_dark:
        grey = np.asarray(255 - grey, np.uint8)
    found, _ = _focused(grey, ink_is_dark)
    assert found.max() <= grey.max() if ink_is_dark else found.min() >= grey.min()


def test_noise_is_not_made_stronger() -> None:
    noise = np.random.default_rng(1).normal(0, 12, (640, 720))
    grey = np.asarray(np.clip(_blurred(_written(), 5.0) + noise, 0, 255), np.uint8)
    assert blur_of(grey) is None


def test_a_slight_blur_under_noise_is_left() -> None:
    assert Blur(2.7, 0.05).is_noisy is False
    assert Blur(2.7, 0.25).is_noisy is True
    assert Blur(6.0, 0.25).is_noisy is False


def test_the_soft_edge_of_a_shadow_is_no_blur() -> None:
    edge = np.full((300, 300), 240, np.uint8)
    cv2.fillConvexPoly(edge, np.array([[0, 30], [0, 0], [300, 0], [300, 220]]), 110)
    grey = _blurred(edge, 9.0)
    assert _focused(grey)[0] is grey


def test_a_small_picture_has_too_few_frequencies() -> None:
    assert blur_of(_blurred(_written(200, 200), 5.0)) is None


def test_places_in_a_halved_picture_are_those_of_the_whole() -> None:
    grey = _blurred(_written(), 6.0)
    found = find_darkness(Image.fromarray(grey))
    assert (found.shrink, found.width, found.height) == (2, 720, 640)
    assert found.dark.whole.shape == (320, 360)
