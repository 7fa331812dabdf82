from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.ruled_lines import without_rules
from tests.digits.layout.forms import leaning, sheet, write


def _digit(size: int = 300) -> NDArray[np.uint8]:
    pixels = np.zeros((size, size), np.uint8)
    cv2.ellipse(pixels, (150, 150), (50, 80), 0, 0, 360, 255, 12)
    return pixels


def _lines(angle: float, gap: int = 45, size: int = 300) -> NDArray[np.uint8]:
    pixels = np.zeros((size, size), np.uint8)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    for step in range(-size, size, gap):
        start, end = (np.rint(150 + across * (step + 20) + along * way).astype(int) for way in (-400, 400))
        cv2.line(pixels, tuple(map(int, start)), tuple(map(int, end)), 255, 2)
    return pixels


@pytest.mark.parametrize("degrees", [0, 3, 20, 45, 80, 90, 130])
def test_without_rules_takes_lines_out_and_leaves_the_digit(degrees: float) -> None:
    digit, lines = _digit(), _lines(np.deg2rad(degrees))
    ink = np.maximum(digit, lines)
    clean = without_rules(ink, (ink > 0).astype(np.uint8))
    assert clean is not None
    assert (clean[digit > 0] > 0).mean() > 0.93
    assert (clean[(lines > 0) & (cv2.dilate(digit, np.ones((7, 7))) == 0)] > 0).mean() < 0.1


def test_without_rules_takes_squares_out() -> None:
    squares = np.maximum(_lines(0.1), _lines(0.1 + np.pi / 2))
    clean = without_rules(squares, (squares > 0).astype(np.uint8))
    assert clean is not None
    assert (clean > 0).sum() < 0.05 * (squares > 0).sum()


def test_without_rules_follows_a_bent_line() -> None:
    ink = np.zeros((300, 300), np.uint8)
    for offset in (60, 120, 240):
        points = [(x, round(offset + 4 * np.sin(x / 100))) for x in range(300)]
        cv2.polylines(ink, [np.array(points)], False, 255, 2)
    clean = without_rules(ink, (ink > 0).astype(np.uint8))
    assert clean is not None
    assert (clean > 0).sum() < 0.1 * (ink > 0).sum()


def test_without_rules_leaves_drawings_alone() -> None:
    digit = _digit()
    assert without_rules(digit, (digit > 0).astype(np.uint8)) is None
    one = np.zeros((300, 300), np.uint8)
    cv2.line(one, (150, 40), (140, 260), 255, 6)
    assert without_rules(one, (one > 0).astype(np.uint8)) is None


@pytest.mark.parametrize("height", [20, 34])
@pytest.mark.parametrize("degrees", [-1.5, 0, 3])
def test_without_rules_leaves_rows_of_digits_alone(degrees: float, height: int) -> None:
    grey = sheet(770, 300)
    for row in range(5):
        text = ("53438652314756172" * 3)[row : row + 700 // height]
        grey = write(grey, text, (10, 4 + 55 * row), height, 3)
    ink = np.asarray(255 - leaning(grey, degrees), np.uint8)
    assert without_rules(ink, (ink > 127).astype(np.uint8)) is None
