"""Reads pictures of handwriting: one digit (`predict`), all of them (`read`), and why (`explain`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from digits.ink.extraction import Ink, find_ink
from digits.ink.pixels import Picture
from digits.ink.sheet import Box
from digits.layout.components import find_pieces, main_group
from digits.layout.grouping import Found, settle
from digits.layout.lines import are_several, atom_of, find_lines
from digits.network.model import MANIFEST, Classification, Model
from digits.network.network_input import field_of
from digits.network.saliency import saliency

DEFAULT_MODEL = Path(__file__).parent / "default"
"""The model folder that comes with the package; its version is "default"."""

CHAMPION = Path("models/champion")
"""The model folder that a training leaves, below the project's folder."""

_FAINT = 0.12  # of the paper's light: ink that takes away less is hard to tell from paper
_SMALL = 14  # pixels: a mark no larger has too few of them
_WIDE = 0.9  # width by height: a mark that cannot be read and is so wide may be several digits

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
    """One mark of a reading: what it says and where it stands."""

    digit: int | None
    confidence: float | None
    probabilities: tuple[float, ...]
    rejected: Rejection | None
    box: Box


@dataclass(frozen=True, slots=True)
class Reading:
    """All marks in reading order; `text` holds `?` for a rejected mark and a newline between lines."""

    text: str
    digits: tuple[Mark, ...]
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


class Reader:
    """Reads pictures with one model. Safe to call from several threads at once."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def load(cls, folder: Path = DEFAULT_MODEL, threads: int = 1) -> Self:
        """A reader for a model folder; raises `ModelError` where it cannot be served."""
        return cls(Model.load(folder, threads))

    def predict(self, picture: Picture) -> Prediction:
        """Read a picture of one digit, anywhere on it, in any size and polarity."""
        ink = find_ink(picture)
        version = self.model.manifest.version
        seen = _whole(ink)
        if seen is None:
            return Prediction(None, None, None, "blank", version)
        turned = _whole(find_ink(picture, turned=True)) if ink.in_doubt else None
        marks = [seen] if turned is None else [seen, turned]
        result = self.model.classify(np.array([mark.field for mark in marks])[..., None])
        row = _better(result) if turned else 0
        digit, confidence, probabilities, rejected = self._answer(result, row)
        if marks[row].several:
            return Prediction(None, None, probabilities, "not_a_digit", version)
        return Prediction(digit, confidence, probabilities, rejected, version)

    def read(self, picture: Picture) -> Reading:
        """Read every digit of a picture, in reading order; boxes in its own pixels."""
        ink = find_ink(picture)
        version = self.model.manifest.version
        written = [self._line(line, ink) for line in self._settled(ink)]
        texts = ["".join("?" if mark.digit is None else str(mark.digit) for mark in line) for line in written]
        return Reading("\n".join(texts), tuple(mark for line in written for mark in line), version)

    def explain(self, picture: Picture) -> tuple[Explanation, ...]:
        """What the network saw of every mark, in reading order."""
        ink = find_ink(picture)
        return tuple(self._explained(mark, ink) for line in self._settled(ink) for mark in line)

    def _explained(self, mark: Found, ink: Ink) -> Explanation:
        seen = np.asarray(mark.seen.round(), np.uint8)
        rejected = self.model.is_rejected(mark.rejection)
        return Explanation(
            _on_picture(mark.atom.box, ink), seen, saliency(self.model, mark.seen), _hint(mark, ink, rejected)
        )

    def _settled(self, ink: Ink) -> list[list[Found]]:
        """The marks of every line that has any."""
        found = find_lines(find_pieces(ink.place, ink.rough), ink.strength)
        settled = iter(settle(self.model, [run for line in found for run in line]))
        marks = [[mark for _ in line for mark in next(settled)] for line in found]
        return [line for line in marks if line]

    def _line(self, found: list[Found], ink: Ink) -> list[Mark]:
        marks = []
        for mark in found:
            result = Classification(mark.probabilities[None], np.array([mark.rejection], np.float32))
            marks.append(Mark(*self._answer(result, 0), _on_picture(mark.atom.box, ink)))
        return marks

    def _answer(
        self, result: Classification, row: int
    ) -> tuple[int | None, float | None, tuple[float, ...], Rejection | None]:
        probabilities = tuple(result.probabilities[row].tolist())
        if self.model.is_rejected(float(result.rejection[row])):
            return None, None, probabilities, "not_a_digit"
        digit = int(result.probabilities[row].argmax())
        return digit, probabilities[digit], probabilities, None


def champion_or_default() -> Path:
    """The champion's folder where a training has left one in the present folder, else the default model's."""
    return CHAMPION if (CHAMPION / MANIFEST).is_file() else DEFAULT_MODEL


def _better(result: Classification) -> int:
    """The mark that is a digit most surely."""
    sure = np.log(result.probabilities.max(axis=1)) - np.logaddexp(0, result.rejection)
    return int(np.argmax(sure))


class _Whole(NamedTuple):
    """All the writing taken for one digit: what the network sees, and whether it plainly is several."""

    field: NDArray[np.float32]
    several: bool


def _whole(ink: Ink) -> _Whole | None:
    pieces = find_pieces(ink.place, ink.rough)
    if not pieces.kept:
        return None
    group = main_group(pieces)
    field = field_of(atom_of(pieces, group, ink.strength).pixels)
    return None if field is None else _Whole(field, are_several(group))


def _hint(mark: Found, ink: Ink, rejected: bool) -> Hint | None:
    """What could make this mark easier to read."""
    if ink.contrast < _FAINT:
        return "too_faint"
    if max(mark.atom.width, mark.atom.height) * ink.shrink < _SMALL:
        return "too_small"
    wide = mark.atom.width > _WIDE * mark.atom.height
    return "several_digits" if rejected and wide else None


def _on_picture(box: Box, ink: Ink) -> Box:
    left, top, right, bottom = (side * ink.shrink for side in box)
    return (left, top, min(right, ink.width), min(bottom, ink.height))
