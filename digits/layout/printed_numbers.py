"""Finds the printed numbers of a table: first columns that are clearly printed, and headings like them.

Forms number their rows at the left. A handwritten number must never be taken for print, so columns are judged
as a whole, and a single number is never called printed.
"""

# See docs/decisions/printed-numbers.md.
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from digits.layout.even_digits import Digit, evenness, likeness, usual_height
from digits.layout.form.tables import Table
from digits.layout.grouping import Found
from digits.layout.numbers import Group
from digits.layout.page import Line

_FEWEST = 5  # least number of numbers in a column
_TYPE = -1.9  # score of evenness below which a column is printed; no handwritten column has such a score
_LOW = 0.5  # below this share of the usual height, a mark is a dot or a trace of a line
_LIKE = 0.93  # least likeness of a heading's digit to one of the row numbers
_STROKE = 1  # the digit that looks the same in print and in handwriting
_TWINS = 2  # least number of digits other than _STROKE in headings that are like the row numbers

Place = tuple[int, int]
"""A number's line, and its position in the line."""


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    place: Place
    row: int
    column: int
    digits: tuple[Digit, ...]


def printed_numbers(
    lines: Sequence[Line],
    found: Sequence[Sequence[Found]],
    groups: Sequence[Sequence[Group]],
    tables: Collection[Table],
) -> set[Place]:
    """The places of the printed numbers in these tables.

    Each line has marks (`found`) and the numbers that they form (`groups`).
    """
    places = set[Place]()
    for table in tables:
        of_table = [
            ((number, place), group, marks)
            for number, (line, marks, own) in enumerate(zip(lines, found, groups, strict=True))
            if line.table is table
            for place, group in enumerate(own)
        ]
        columns = {column for _, group, _ in of_table if (column := group.column) is not None}
        typed = list[_Number]()
        for column in sorted(columns):
            numbers = [
                _measured(place, group, marks) for place, group, marks in of_table if group.column == column
            ]
            even = _even(numbers)
            if not even:
                break
            typed += even
        if typed:
            done = {number.place for number in typed}
            heading = [
                _measured(place, group, marks)
                for place, group, marks in of_table
                if group.row == 0 and place not in done
            ]
            typed += _like(heading, typed)
        places.update(number.place for number in typed)
    return places


def _measured(place: Place, group: Group, marks: Sequence[Found]) -> _Number:
    assert group.row is not None
    assert group.column is not None
    written = [marks[index] for index in group.marks if marks[index].sign is None]
    low = _LOW * median([mark.atom.height for mark in written] or [0])
    digits = tuple(
        Digit.of(mark.atom, int(mark.probabilities.argmax())) for mark in written if mark.atom.height >= low
    )
    return _Number(place, group.row, group.column, digits)


def _even(numbers: Sequence[_Number]) -> list[_Number]:
    """The printed numbers of a column; none if it is not clearly printed."""
    numbers = [number for number in numbers if number.digits]
    if len(numbers) < _FEWEST:
        return []
    usual = usual_height([number.digits for number in numbers])
    whole = [number for number in numbers if all(one.height > _LOW * usual for one in number.digits)]
    if len(whole) < _FEWEST:
        return []
    found = evenness([number.digits for number in whole], [number.row for number in whole])
    even = [number for number, is_even in zip(whole, found.even, strict=True) if is_even]
    return even if found.score < _TYPE and len(even) >= _FEWEST else []


def _like(heading: Sequence[_Number], typed: Sequence[_Number]) -> list[_Number]:
    """The numbers of a heading whose digits are in the typeface of the row numbers."""
    digits = [digit for number in typed for digit in number.digits]
    height = usual_height([digits])
    alike, twins = list[_Number](), 0
    for number in heading:
        if not number.digits or min(likeness(number.digits, digits, height)) < _LIKE:
            continue
        alike.append(number)
        twins += sum(digit.digit != _STROKE for digit in number.digits)
    return alike if twins >= _TWINS and 2 * len(alike) > len(heading) else []
