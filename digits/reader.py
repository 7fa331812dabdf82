"""Reads pictures of handwriting: one digit (`predict`), all of them (`read`), and why (`explain`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.ink import FIELD, InkMap, ink_map, network_input
from digits.model import Classification, Model
from digits.segment import Box, boxes

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
    def load(cls, folder: Path, threads: int = 1) -> Self:
        """A reader for a model folder; raises `ModelError` where it cannot be served."""
        return cls(Model.load(folder, threads))

    def predict(self, image: Image.Image) -> Prediction:
        """Read a picture of one digit, anywhere on it, in any size and polarity."""
        seen = network_input(ink_map(image))
        version = self.model.manifest.version
        if seen is None:
            return Prediction(None, None, None, "blank", version)
        result = self.model.classify(seen[None, :, :, None])
        digit, confidence, probabilities, rejected = self._answer(result, 0)
        return Prediction(digit, confidence, probabilities, rejected, version)

    def read(self, image: Image.Image) -> Reading:
        """Read every digit of a picture, in reading order; boxes in its own pixels."""
        found, batch = self._marks(ink_map(image))
        version = self.model.manifest.version
        if not found:
            return Reading("", (), version)
        result = self.model.classify(batch)
        marks = tuple(Mark(*self._answer(result, i), box) for i, box in enumerate(found))
        text = "".join("?" if mark.digit is None else str(mark.digit) for mark in marks)
        return Reading(text, marks, version)

    def explain(self, image: Image.Image) -> tuple[Explanation, ...]:
        """What the network saw of every mark, in reading order."""
        found, batch = self._marks(ink_map(image))
        seen = batch[..., 0].round().astype(np.uint8)
        blank = np.zeros((FIELD, FIELD), np.float32)
        return tuple(Explanation(box, pixels, blank, None) for box, pixels in zip(found, seen, strict=True))

    def _marks(self, ink: InkMap) -> tuple[list[Box], NDArray[np.float32]]:
        """The boxes of all marks and what the network sees of them, (n, 28, 28, 1)."""
        found = boxes(ink)
        fields = [network_input(ink[top:bottom, left:right]) for left, top, right, bottom in found]
        seen = [field for field in fields if field is not None]
        return found, np.array(seen, np.float32).reshape(-1, FIELD, FIELD, 1)

    def _answer(
        self, result: Classification, row: int
    ) -> tuple[int | None, float | None, tuple[float, ...], Rejection | None]:
        probabilities = tuple(float(p) for p in result.probabilities[row])
        if self.model.is_rejected(float(result.rejection[row])):
            return None, None, probabilities, "not_a_digit"
        digit = int(np.argmax(probabilities))
        return digit, probabilities[digit], probabilities, None
