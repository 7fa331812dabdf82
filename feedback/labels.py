"""The labels that a picture may have: a digit, numbers with their signs, or "not_a_digit"."""

from __future__ import annotations

import re

from feedback.errors import BadLabel

NOT_A_DIGIT = "not_a_digit"
MOST_CHARACTERS = 500  # in one label, which is enough for a page of numbers

# Phone keyboards write a minus sign or an en dash.
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})
_TEXT = re.compile(r"[0-9.,\- \n]+")
_ACCEPTED = f"Send a digit, a number such as -3,5, several numbers separated by spaces, or {NOT_A_DIGIT}."


def label_of(text: str) -> str:
    """A person's text as a label, which has the form of a reading's `text`.

    Numbers are separated by single spaces, and lines by line ends. Raises `BadLabel` for any other text.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadLabel(f"The label is longer than {MOST_CHARACTERS} characters. {_ACCEPTED}")
    lines = (" ".join(line.split()) for line in text.translate(_MINUS).splitlines())
    label = "\n".join(line for line in lines if line)
    if label == NOT_A_DIGIT:
        return label
    if not _TEXT.fullmatch(label) or not any(character.isdigit() for character in label):
        raise BadLabel(f"The label is {'empty' if not label else 'not valid'}. {_ACCEPTED}")
    return label
