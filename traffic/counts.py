"""Counts of what pictures looked like and how they were read. No count says which picture it is of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from traffic.features import FEATURES, Kind

if TYPE_CHECKING:
    from digits import Look, Mark, Prediction, Reading

Histograms = dict[str, dict[str, list[int]]]
"""For each kind of pictures and each of its features how many fell into each bin."""


class Counts:
    """Histograms of `FEATURES` that can be added to. Not for several threads at once."""

    def __init__(self) -> None:
        self.histograms: Histograms = {
            kind: {name: [0] * len(feature.bins) for name, feature in features.items()}
            for kind, features in FEATURES.items()
        }

    @classmethod
    def of(cls, histograms: Mapping[str, Mapping[str, list[int]]]) -> Self:
        """Counts with these histograms; raises `ValueError` where they are not of this version's features."""
        counts = cls()
        counts.add(histograms)
        return counts

    def add(self, histograms: Mapping[str, Mapping[str, list[int]]]) -> None:
        """Add histograms bin by bin; raises `ValueError` where they are not of this version's features."""
        if _shape(histograms) != _shape(self.histograms):
            raise ValueError("the counts are of another version of the project")
        for kind, features in histograms.items():
            for name, bins in features.items():
                own = self.histograms[kind][name]
                own[:] = [before + more for before, more in zip(own, bins, strict=True)]

    def pictures(self, kind: Kind) -> int:
        """How many pictures of a kind were counted."""
        return sum(self.histograms[kind]["outcome"])

    def add_prediction(self, prediction: Prediction, look: Look, pixels: int) -> None:
        """Count a picture of one digit, which had so many pixels."""
        own = self.histograms["predict"]
        _count("predict", own, "ink", look.ink)
        _count("predict", own, "size", look.size)
        self._add_picture("predict", look, pixels)
        self._add_answer("predict", prediction)
        outcome = 0 if prediction.digit is not None else 1 if prediction.rejected == "not_a_digit" else 2
        own["outcome"][outcome] += 1

    def add_reading(self, reading: Reading, look: Look, pixels: int) -> None:
        """Count a picture of any number of digits, which had so many pixels."""
        self._add_picture("read", look, pixels)
        marks = [mark for mark in reading.digits if mark.sign is None]
        for mark in marks:
            self._add_answer("read", mark)
        unread = sum(mark.digit is None for mark in marks)
        outcome = 3 if not marks else 2 if unread == len(marks) else 1 if unread else 0
        self.histograms["read"]["outcome"][outcome] += 1

    def _add_picture(self, kind: Kind, look: Look, pixels: int) -> None:
        own = self.histograms[kind]
        _count(kind, own, "paper", look.paper)
        _count(kind, own, "pixels", pixels)
        _count(kind, own, "stroke", look.stroke)

    def _add_answer(self, kind: Kind, answer: Prediction | Mark) -> None:
        if answer.digit is not None:
            own = self.histograms[kind]
            own["digit"][answer.digit] += 1
            _count(kind, own, "confidence", answer.confidence)


def _count(kind: Kind, own: dict[str, list[int]], name: str, value: float | None) -> None:
    if value is not None:
        own[name][bisect_right(FEATURES[kind][name].edges, value)] += 1


def _shape(histograms: Mapping[str, Mapping[str, list[int]]]) -> dict[str, dict[str, int]]:
    return {
        kind: {name: len(bins) for name, bins in features.items()} for kind, features in histograms.items()
    }
