from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.mnist.dataset import Digits
from pipeline.synthesis.lines import number_lines


def blocks() -> Digits:
    """Solid marks of three widths, labelled by their width."""
    images = np.zeros((3, 28, 28), np.uint8)
    for number, image in enumerate(images):
        image[4:24, 10 : 14 + 3 * number] = 255
    return Digits(images, np.arange(3, dtype=np.uint8))


def pieces(ink: NDArray[np.bool_]) -> int:
    """Return the number of pieces side by side."""
    columns = ink.any(axis=0).astype(int)
    return int((np.diff(np.concatenate([[0], columns])) == 1).sum())


def test_lines_hold_as_many_marks_as_their_text_says() -> None:
    for text, image in number_lines(blocks(), 20, seed=1):
        ink = np.asarray(image) < 128
        assert 3 <= len(text) <= 8
        assert pieces(ink) == len(text)
        assert not ink[0].any()
        assert not ink[:, 0].any()


def test_lines_follow_from_the_seed() -> None:
    first, again = list(number_lines(blocks(), 3, seed=1)), list(number_lines(blocks(), 3, seed=1))
    assert [text for text, _ in first] == [text for text, _ in again]
    assert first[0][1].tobytes() == again[0][1].tobytes()
    assert [text for text, _ in first] != [text for text, _ in number_lines(blocks(), 3, seed=2)]
