"""Fake answers of the service, to test how the page shows them."""

from __future__ import annotations

import base64

from PIL import Image
from playwright.sync_api import Page

from tests.browser.hand import answer, draw
from tests.browser.pictures import encoded


def reading(text: str = "?") -> dict[str, object]:
    """The service's answer for this text, with confident digits from left to right, line by line."""
    numbers: list[dict[str, object]] = []
    marks: list[dict[str, object]] = []
    for row, line in enumerate(text.split("\n")):
        for word in line.split():
            first = len(marks)
            marks += [mark(letter, first + place, row) for place, letter in enumerate(word)]
            number = {"text": word, "confidence": None if "?" in word else 0.9, "row": None, "column": None}
            numbers.append(
                number | {"printed": False, "box": [0, 0, 1, 1], "marks": list(range(first, len(marks)))}
            )
    return {"text": text, "numbers": numbers, "digits": marks, "tables": [], "model": "1"}


def mark(letter: str, place: int, row: int) -> dict[str, object]:
    """The answer for one mark: a digit, a sign, or `?`."""
    digit = int(letter) if letter.isdigit() else None
    return {
        "digit": digit,
        "confidence": None if digit is None else 0.994,
        "probabilities": [0.946 if each == digit else 0.006 for each in range(10)],
        "rejected": "not_a_digit" if letter == "?" else None,
        "box": [20 + 60 * place, 60 + 200 * row, 70 + 60 * place, 160 + 200 * row],
        "sign": letter if letter in "-.," else None,
    }


def show(page: Page, text: str, hints: list[str | None] | None = None) -> None:
    """Draw something, to which the service answers with this text."""
    said = reading(text)
    views = [
        {"box": [0, 0, 9, 9], "seen": black_field(), "saliency": [[0.0] * 28] * 28, "hint": hint}
        for hint in hints or [None] * len("".join(text.split()))
    ]
    page.route("**/ask/read", lambda route: route.fulfill(json=said))
    page.route("**/ask/explain", lambda route: route.fulfill(json=views))
    draw(page, 8)
    assert answer(page) == text


def black_field() -> str:
    """An empty 28x28 view, in the format of /explain."""
    return base64.b64encode(encoded(Image.new("L", (28, 28)))).decode()
