"""Counts of how pictures looked and how they were read. A count does not identify any picture."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from traffic.features import FEATURES, Kind

if TYPE_CHECKING:
    from digits import Look, Mark, Prediction, Reading

Histograms = dict[str, dict[str, list[int]]]
"""The number of pictures or marks in each bin, by kind of picture and name of feature."""


class Counts:
    """Histograms of `FEATURES` that can be added to. Not safe to use from several threads concurrently."""

    def __init__(self) -> None:
        self.histograms: Histograms = {
            kind: {name: [0] * len(feature.bins) for name, feature in features.items()}
            for kind, features in FEATURES.items()
        }

    @classmethod
    def of(cls, histograms: Mapping[str, Mapping[str, list[int]]]) -> Self:
        """Counts with these histograms.

        Raises `ValueError` if their kinds, features or numbers of bins are not those of this version.
        """
        counts = cls()
        counts.add(histograms)
        return counts

    def add(self, histograms: Mapping[str, Mapping[str, list[int]]]) -> None:
        """Add histograms bin by bin.

        Raises `ValueError` if their kinds, features or numbers of bins are not those of this version.
        """
        if _shape(histograms) != _shape(self.histograms):
            raise ValueError("the counts were made by another version of the project")
        for kind, features in histograms.items():
            for name, bins in features.items():
                own = self.histograms[kind][name]
                own[:] = [before + more for before, more in zip(own, bins, strict=True)]

    def pictures(self, kind: Kind) -> int:
        """The number of pictures of a kind."""
        return sum(self.histograms[kind]["outcome"])

    def add_prediction(self, prediction: Prediction, look: Look, pixels: int) -> None:
        """Count a picture of one digit that has `pixels` pixels."""
        own = self.histograms["predict"]
        _count("predict", own, "ink", look.ink)
        _count("predict", own, "size", look.size)
        self._add_picture("predict", look, pixels)
        self._add_answer("predict", prediction)
        if prediction.digit is not None:
            self._add_outcome("predict", "digit")
        elif prediction.rejected == "not_a_digit":
            self._add_outcome("predict", "not a digit")
        else:
            self._add_outcome("predict", "blank")

    def add_reading(self, reading: Reading, look: Look, pixels: int) -> None:
        """Count a picture of any number of digits that has `pixels` pixels. Signs are not counted."""
        self._add_picture("read", look, pixels)
        marks = [mark for mark in reading.digits if mark.sign is None]
        for mark in marks:
            self._add_answer("read", mark)
        read = sum(mark.digit is not None for mark in marks)
        if not marks:
            self._add_outcome("read", "blank")
        elif not read:
            self._add_outcome("read", "none read")
        elif read < len(marks):
            self._add_outcome("read", "some unread")
        else:
            self._add_outcome("read", "all read")

    def _add_picture(self, kind: Kind, look: Look, pixels: int) -> None:
        own = self.histograms[kind]
        _count(kind, own, "paper", look.paper)
        _count(kind, own, "pixels", pixels)
        _count(kind, own, "stroke", look.stroke)

    def _add_outcome(self, kind: Kind, name: str) -> None:
        self.histograms[kind]["outcome"][FEATURES[kind]["outcome"].bins.index(name)] += 1

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
