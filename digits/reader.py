"""Reads handwritten digits: one digit (`predict`), all digits (`read`), or with explanations (`explain`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from digits.ink.extraction import Ink, find_darkness, find_ink
from digits.ink.pixels import Picture
from digits.ink.sheet import Box
from digits.layout.atoms import atom_of
from digits.layout.components import find_pieces, main_group
from digits.layout.form.tables import Table
from digits.layout.grid import Grid, grids_of
from digits.layout.grouping import Found, settle
from digits.layout.lines import are_several
from digits.layout.look import Look, look_of
from digits.layout.numbers import Group, numbers_of
from digits.layout.page import Page, find_page
from digits.layout.pieces import common_box
from digits.layout.printed_numbers import printed_numbers
from digits.network.model import MANIFEST, Classification, Model
from digits.network.network_input import InkLevels, field_of
from digits.network.probabilities import all_right
from digits.network.saliency import saliency
from digits.results import (
    Explanation,
    Hint,
    Mark,
    Number,
    Prediction,
    Reading,
    Rejection,
    TableCell,
    TableReading,
)

DEFAULT_MODEL = Path(__file__).parent / "default"
"""The model folder that comes with the package; its version is "default"."""

CHAMPION = Path("models/champion")
"""The model folder that training writes, relative to the project's folder."""

CARD = "card.html"
"""The name of the model card, an optional page about the model in its folder."""

_FAINT = 0.12  # contrast (see `Ink`) below which ink is hard to distinguish from paper
_SCAN = 20  # longer side of a picture in pixels, up to which it is a coarse scan of one mark
_SMALL = 14  # longer side of a mark in pixels, below which it has too few pixels
_WIDE = 0.9  # ratio of width to height, above which a rejected mark may be several digits
_SOLID = 0.6  # share of ink in a mark's box, above which it is a dot or a blot and not several digits


class Reader:
    """Reads pictures with one model. Safe to use from several threads concurrently."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def load(cls, folder: Path = DEFAULT_MODEL, threads: int = 1) -> Self:
        """Load a model folder; raises `ModelError` if it cannot be loaded. `threads` are onnxruntime's."""
        return cls(Model.load(folder, threads))

    def predict(self, picture: Picture) -> Prediction:
        """Read a picture of one digit of any size, position and polarity. Raises `ImageError`."""
        return self._predicted(picture)[0]

    def predict_and_look(self, picture: Picture) -> tuple[Prediction, Look]:
        """The result of `predict`, and the measured look of the picture."""
        prediction, ink, mark = self._predicted(picture)
        return prediction, look_of(ink, [] if mark is None else [mark])

    def _predicted(self, picture: Picture) -> tuple[Prediction, Ink, InkLevels | None]:
        """The answer, the ink of the picture, and the ink of the mark that was read (None if blank)."""
        ink = find_ink(picture)
        version = self.model.manifest.version
        seen = _whole(ink)
        if seen is None:
            return Prediction(None, None, None, "blank", version), ink, None
        inverted = _whole(find_ink(picture, inverted=True)) if ink.in_doubt else None
        marks = [seen] if inverted is None else [seen, inverted]
        result = self.model.classify(np.array([mark.field for mark in marks])[..., None])
        row = _most_digit_like(result) if inverted else 0
        digit, confidence, probabilities, rejected = self._answer(result, row, ink)
        if marks[row].several:
            digit, confidence, rejected = None, None, "not_a_digit"
        return Prediction(digit, confidence, probabilities, rejected, version), ink, marks[row].ink

    def read(self, picture: Picture) -> Reading:
        """Read all digits of a picture, in reading order, with boxes in its pixels. Raises `ImageError`."""
        return self._reading(*self._found(picture))

    def read_and_look(self, picture: Picture) -> tuple[Reading, Look]:
        """The result of `read`, and the measured look of the picture without its signs."""
        page, found = self._found(picture)
        marks = [mark.atom.pixels for line in found for mark in line if mark.sign is None]
        return self._reading(page, found), look_of(page.ink, marks)

    def _reading(self, page: Page, found: list[list[Found]]) -> Reading:
        grids = grids_of(page, found)
        marks: list[Mark] = []
        numbers: list[Number] = []
        texts: list[str] = []
        filled: dict[Table, list[int]] = {table: [] for table in grids}
        groups_of = numbers_of(page, found, grids)
        printed = printed_numbers(page.lines, found, groups_of, grids)
        for place, (line, written, groups) in enumerate(zip(page.lines, found, groups_of, strict=True)):
            if not written:
                continue
            first = len(marks)
            marks.extend(self._mark(mark, page.ink) for mark in written)
            of_line = [
                _number(marks, first, group, printed=(place, k) in printed) for k, group in enumerate(groups)
            ]
            if line.table in filled:
                filled[line.table].extend(range(len(numbers), len(numbers) + len(of_line)))
            numbers.extend(of_line)
            texts.append(" ".join(number.text for number in of_line))
        tables = tuple(_table(grid, filled[table], numbers, page.ink) for table, grid in grids.items())
        version = self.model.manifest.version
        return Reading("\n".join(texts), tuple(numbers), tuple(marks), tables, version)

    def explain(self, picture: Picture) -> tuple[Explanation, ...]:
        """The network's input and its saliency for every mark, in reading order. Raises `ImageError`."""
        page, found = self._found(picture)
        return tuple(self._explained(mark, page.ink) for line in found for mark in line)

    def seen(self, picture: Picture) -> NDArray[np.uint8] | None:
        """The network's input if the picture is read as one digit: (28, 28), ink bright; None without ink."""
        whole = _whole(find_ink(picture))
        return None if whole is None else np.asarray(whole.field.round(), np.uint8)

    def _explained(self, mark: Found, ink: Ink) -> Explanation:
        seen = np.asarray(mark.seen.round(), np.uint8)
        rejected = self.model.is_rejected(mark.rejection, on_scan=_is_scan(ink))
        return Explanation(
            _on_picture(mark.atom.box, ink), seen, saliency(self.model, mark.seen), _hint(mark, ink, rejected)
        )

    def _found(self, picture: Picture) -> tuple[Page, list[list[Found]]]:
        """The page, and the marks of each of its lines."""
        page = find_page(find_darkness(picture))
        of_runs = settle(self.model, [run for line in page.lines for run in line.runs])
        found = []
        start = 0
        for line in page.lines:
            end = start + len(line.runs)
            found.append([mark for marks in of_runs[start:end] for mark in marks])
            start = end
        return page, found

    def _mark(self, mark: Found, ink: Ink) -> Mark:
        box = _on_picture(mark.atom.box, ink)
        if mark.sign is not None:
            return Mark(None, None, tuple(mark.probabilities.tolist()), None, box, mark.sign)
        result = Classification(mark.probabilities[None], np.array([mark.rejection], np.float32))
        return Mark(*self._answer(result, 0, ink), box)

    def _answer(
        self, result: Classification, row: int, ink: Ink
    ) -> tuple[int | None, float | None, tuple[float, ...], Rejection | None]:
        probabilities = tuple(result.probabilities[row].tolist())
        if self.model.is_rejected(float(result.rejection[row]), on_scan=_is_scan(ink)):
            return None, None, probabilities, "not_a_digit"
        digit = int(result.probabilities[row].argmax())
        return digit, probabilities[digit], probabilities, None


def _number(marks: Sequence[Mark], first: int, group: Group, *, printed: bool) -> Number:
    """A group of marks as one number. The marks of the group's line begin at `first` in `marks`."""
    indices = [first + place for place in group.marks]
    own = [marks[index] for index in indices]
    sure = [mark.confidence for mark in own if mark.confidence is not None]
    unread = not sure or any(mark.rejected for mark in own)
    confidence = None if unread else all_right(sure)
    text, box = "".join(mark.text for mark in own), common_box([mark.box for mark in own])
    return Number(text, confidence, box, tuple(indices), group.row, group.column, printed)


def _table(grid: Grid, indices: Sequence[int], numbers: Sequence[Number], ink: Ink) -> TableReading:
    """All cells of a table, row by row, with the numbers in each; `indices` are the table's numbers."""
    boxes = {place: _on_picture(box, ink) for place, box in grid.cells()}
    written: dict[tuple[int, int], list[int]] = {place: [] for place in boxes}
    for index in indices:
        row, column = numbers[index].row, numbers[index].column
        assert row is not None
        assert column is not None
        written.setdefault((row, column), []).append(index)
    cells = []
    for place in sorted(written):
        own = written[place]
        box = boxes.get(place) or common_box([numbers[index].box for index in own])
        cells.append(TableCell(*place, box, tuple(own)))
    return TableReading(grid.rows, grid.columns, tuple(cells))


def champion_or_default() -> Path:
    """The champion's folder if the current folder has one, else the folder of the default model."""
    return CHAMPION if (CHAMPION / MANIFEST).is_file() else DEFAULT_MODEL


def _is_scan(ink: Ink) -> bool:
    return max(ink.width, ink.height) <= _SCAN


def _most_digit_like(result: Classification) -> int:
    """The row of the mark with the highest probability of being one particular digit."""
    sure = np.log(result.probabilities.max(axis=1)) - np.logaddexp(0, result.rejection)
    return int(np.argmax(sure))


class _Whole(NamedTuple):
    """The main mark of a picture as one digit; `several` is true if it clearly is more than one digit."""

    ink: InkLevels
    field: NDArray[np.float32]
    several: bool


def _whole(ink: Ink) -> _Whole | None:
    pieces = find_pieces(ink.place, ink.rough)
    if not pieces.kept:
        return None
    group = main_group(pieces)
    pixels = atom_of(pieces, group, ink.strength).pixels
    field = field_of(pixels)
    return None if field is None else _Whole(pixels, field, are_several(group))


def _hint(mark: Found, ink: Ink, rejected: bool) -> Hint | None:
    """Why this mark is hard to read; None if no reason is known."""
    if ink.contrast < _FAINT:
        return "too_faint"
    if max(mark.atom.width, mark.atom.height) * ink.shrink < _SMALL:
        return "too_small"
    wide = mark.atom.width > _WIDE * mark.atom.height
    solid = np.count_nonzero(mark.atom.pixels) > _SOLID * mark.atom.pixels.size
    return "several_digits" if rejected and wide and not solid else None


def _on_picture(box: Box, ink: Ink) -> Box:
    left, top = (math.floor(side * ink.shrink) for side in box[:2])
    right, bottom = (math.ceil(side * ink.shrink) for side in box[2:])
    return (
        left + ink.left,
        top + ink.top,
        min(right + ink.left, ink.width),
        min(bottom + ink.top, ink.height),
    )
