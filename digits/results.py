"""What the reader says of a picture: one digit, or all marks with the numbers and tables that they make."""

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

    `digit` and `confidence` are None where `rejected` says why; `probabilities` (ten numbers that
    sum to 1) stay for "not_a_digit" and are None for "blank". `model` is the registry version.
    """

    digit: int | None
    confidence: float | None
    probabilities: tuple[float, ...] | None
    rejected: Rejection | None
    model: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of a reading: what it says and where it stands.

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
        """The character that stands for this mark: `?` where it is neither a digit nor a sign."""
        if self.sign is not None:
            return self.sign
        return "?" if self.digit is None else str(self.digit)


@dataclass(frozen=True, slots=True)
class Number:
    """Marks that are read together: "12", "-3,5", "?7".

    `confidence` is the probability that all of it is right, None where a mark is rejected. `marks` are
    indices into the reading's `digits`. `row` and `column` count from 0; None where there is no table.
    `printed`: it is type and no hand wrote it, as the row numbers of a form; False where that is not plain.
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

    `numbers` are indices into the reading's `numbers`: none in an empty cell, one in most others.
    """

    row: int
    column: int
    box: Box
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableReading:
    """A table of so many rows and columns; a cell that spans several columns stands in one of them."""

    rows: int
    columns: int
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All marks in reading order, the numbers that they make, and the tables that these stand in.

    `text` holds `?` for a rejected mark, a space between two numbers of a line and a newline between lines.
    """

    text: str
    numbers: tuple[Number, ...]
    digits: tuple[Mark, ...]
    tables: tuple[TableReading, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the network saw of one mark.

    `seen` is uint8 (28, 28), ink bright; `saliency` float32 (28, 28), -1..1: how much the ink there
    spoke for the answer (negative: against it); `hint` says what could make a mark easier to read.
    """

    box: Box
    seen: NDArray[np.uint8]
    saliency: NDArray[np.float32]
    hint: Hint | None
