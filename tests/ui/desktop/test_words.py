from __future__ import annotations

import pytest

from ui.client import Mark, Reading
from ui.desktop.words import model_name, percent, words
from ui.text import WINDOW

SEVEN = Mark(7, 0.991, (0.1,) * 10, None, (10, 20, 60, 90))
UNCLEAR = Mark(None, None, (0.1,) * 10, "not_a_digit", (100, 20, 150, 90))
MINUS = Mark(None, None, (0.1,) * 10, None, (0, 50, 8, 55), "-")


@pytest.mark.parametrize(
    ("marks", "sentence"),
    [
        ((), WINDOW["blank"]),
        ((UNCLEAR,), WINDOW["not_a_digit"]),
        ((SEVEN, UNCLEAR), WINDOW["unclear"]),
        ((SEVEN,), "99.1 % sure"),
        ((SEVEN, SEVEN), "Least certain digit: 99.1 %"),
        ((MINUS, SEVEN), "99.1 % sure"),
        ((MINUS, SEVEN, SEVEN), "Least certain digit: 99.1 %"),
        ((MINUS, SEVEN, UNCLEAR), WINDOW["unclear"]),
        ((MINUS,), WINDOW["not_a_digit"]),
    ],
)
def test_words_say_how_sure_the_answer_is(marks: tuple[Mark, ...], sentence: str) -> None:
    assert words(Reading("", (), marks, "")) == sentence


@pytest.mark.parametrize(
    ("version", "name"), [("12", "Model 12"), ("default", "Default model"), ("", "Your own model")]
)
def test_model_name(version: str, name: str) -> None:
    assert model_name(version) == name


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0.0 %"), (0.12345, "12.3 %"), (0.9996, "99.9 %"), (1.0, "99.9 %")]
)
def test_percentage_is_never_a_certainty(share: float, text: str) -> None:
    assert percent(share) == text
