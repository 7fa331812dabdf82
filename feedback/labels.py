"""What may be said of a picture: a digit, numbers with their signs, or that it is no digit."""

from __future__ import annotations

import re

from feedback.errors import BadLabel

NOT_A_DIGIT = "not_a_digit"
MOST_CHARACTERS = 500  # of a label: a page of numbers

_MINUS = str.maketrans(
    {"\u2212": "-", "\u2013": "-"}
)  # the minus and the dash that keyboards of phones write
_TEXT = re.compile(r"[0-9.,\- \n]+")
_TAKEN = f"send a digit, a number such as -3,5, several of them with spaces, or {NOT_A_DIGIT}"


def label_of(text: str) -> str:
    """The label that a text stands for, as `read` writes it: single spaces, and line ends between lines.

    Raises `BadLabel`.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadLabel(f"The label is longer than {MOST_CHARACTERS} characters: {_TAKEN}.")
    lines = (" ".join(line.split()) for line in text.translate(_MINUS).splitlines())
    label = "\n".join(line for line in lines if line)
    if label == NOT_A_DIGIT:
        return label
    if not _TEXT.fullmatch(label) or not any(character.isdigit() for character in label):
        raise BadLabel(f"The label is {'empty' if not label else 'none that is taken'}: {_TAKEN}.")
    return label
