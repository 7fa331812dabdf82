"""Contrast ratios by WCAG 2: 4.5 for text, 3 for graphical parts."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "tkinter",
    reason="NO TK: install it (apt-get install python3-tk) to test the window",
    exc_type=ImportError,
)

from ui.desktop.theme import DARK, LIGHT, Theme

TEXTS = [  # text and its ground
    ("text", "ground"),
    ("text", "button"),
    ("text", "track"),
    ("soft", "ground"),
    ("accent", "ground"),
    ("on_accent", "accent"),
    ("on_accent", "pressed"),
    ("ink", "paper"),
]
PARTS = [("accent", "paper"), ("accent", "track"), ("soft", "track")]


def light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: Theme, *names: str) -> float:
    dark, bright = sorted(light(getattr(theme, name)) for name in names)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_parts_can_be_made_out(theme: Theme) -> None:
    low = {names: contrast(theme, *names) for names in TEXTS if contrast(theme, *names) < 4.5}
    low |= {names: contrast(theme, *names) for names in PARTS if contrast(theme, *names) < 3}
    assert not low
