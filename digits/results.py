"""The reader's results: one digit, or all marks of a picture with the numbers and tables that they form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box
from digits.layout.signs import Sign

Rejection = Literal["blank", "not_a_digit"]
Hint = Literal["too_small", "too_faint", "several_digits"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for a picture of one digit.

    If `rejected` is set, `digit` and `confidence` are None. `probabilities` are ten numbers that sum to 1;
    they are None for a "blank" picture, but not for "not_a_digit". `model` is the model's registry version.
    """

    digit: int | None
    confidence: float | None
    probabilities: tuple[float, ...] | None
    rejected: Rejection | None
    model: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of a reading, and its box in the picture's pixels.

    A mark is a digit (`digit` and `confidence`), a sign (`sign`) or neither (`rejected`).
    """

    digit: int | None
    confidence: float | None
    probabilities: tuple[float, ...]
    rejected: Rejection | None
    box: Box
    sign: Sign | None = None

    @property
    def text(self) -> str:
        """The character of this mark: a digit, a sign, or `?` if it was rejected."""
        if self.sign is not None:
            return self.sign
        return "?" if self.digit is None else str(self.digit)


@dataclass(frozen=True, slots=True)
class Number:
    """Marks that are read together, such as "12", "-3,5" and "?7".

    `confidence` is the probability that the whole number is right, and None if a mark was rejected. `marks`
    are indices into the reading's `digits`. `row` and `column` count from 0, and are None outside tables.
    `printed` is true if the number is clearly printed and not handwritten, such as the row numbers of a form.
    """

    text: str
    confidence: float | None
    box: Box
    marks: tuple[int, ...]
    row: int | None = None
    column: int | None = None
    printed: bool = False


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell of a table; `row` and `column` count from 0.

    `numbers` are indices into the reading's `numbers`. An empty cell has none, and most other cells have one.
    """

    row: int
    column: int
    box: Box
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableReading:
    """A table. A cell that spans several columns belongs to one of them."""

    rows: int
    columns: int
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All marks in reading order, the numbers that they form, and the tables of these numbers.

    `text` has a `?` for a rejected mark, a space between two numbers of a line and a newline between lines.
    """

    text: str
    numbers: tuple[Number, ...]
    digits: tuple[Mark, ...]
    tables: tuple[TableReading, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The network's input for one mark, and how much each part of it contributed to the answer.

    `seen` is uint8 (28, 28), ink bright. `saliency` is float32 (28, 28), -1..1: positive if the ink there
    supported the answer, negative if it was against the answer. `hint` is why the mark is hard to read, if a
    reason is known.
    """

    box: Box
    seen: NDArray[np.uint8]
    saliency: NDArray[np.float32]
    hint: Hint | None
