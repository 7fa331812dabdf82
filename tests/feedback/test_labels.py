"""What is taken as a label, and how it is written down."""

from __future__ import annotations

import pytest

from feedback.errors import BadLabel
from feedback.labels import MOST_CHARACTERS, label_of


@pytest.mark.parametrize("label", ["7", "2047", "-3,5", "3.14 -2", "12 7\n-3,5", "not_a_digit", "1" * 500])
def test_labels_as_read_writes_them_stay(label: str) -> None:
    assert label_of(label) == label


@pytest.mark.parametrize(
    ("text", "label"), [(" 7\n", "7"), ("1  2\r\n\r\n 3", "1 2\n3"), ("\u22123,5", "-3,5"), ("1\t2", "1 2")]
)
def test_labels_are_written_in_one_way(text: str, label: str) -> None:
    assert label_of(text) == label


@pytest.mark.parametrize(
    "text", ["", " \n", "seven", "7a", "?", "-", "., ", "\u0667", "7\0", "Not_a_digit", "not_a_digit 7"]
)
def test_other_labels_are_refused_with_what_to_send(text: str) -> None:
    with pytest.raises(BadLabel, match="Send a digit, a number such as -3,5"):
        label_of(text)


def test_long_labels_are_refused() -> None:
    with pytest.raises(BadLabel, match="longer than 500 characters"):
        label_of("1" * (MOST_CHARACTERS + 1))
