"""Which bins a picture is counted in, and that counts of another version are refused."""

from __future__ import annotations

import pytest

from digits import Look, Mark, Prediction, Reading
from traffic.counts import Counts
from traffic.features import FEATURES, KINDS

BOX = (0, 0, 1, 1)
EVEN = (0.1,) * 10
LIGHT = Look(paper=1.0, ink=0.03, size=0.5, stroke=0.1)


def at(counts: Counts, kind: str, name: str) -> list[int]:
    """The bin of each value that was counted, in ascending order."""
    return [place for place, count in enumerate(counts.histograms[kind][name]) for _ in range(count)]


def test_digit_is_counted_once_in_each_feature() -> None:
    counts = Counts()
    counts.add_prediction(Prediction(7, 0.98, EVEN, None, "1"), LIGHT, 160_000)
    assert {name: at(counts, "predict", name) for name in FEATURES["predict"]} == {
        "paper": [8],
        "pixels": [2],
        "ink": [4],
        "size": [5],
        "stroke": [5],
        "confidence": [4],
        "digit": [7],
        "outcome": [0],
    }
    assert (counts.pictures("predict"), counts.pictures("read")) == (1, 0)


def test_blank_and_rejected_pictures_have_neither_digit_nor_confidence() -> None:
    counts = Counts()
    nothing = Look(paper=0.0, ink=0.0, size=None, stroke=None)
    counts.add_prediction(Prediction(None, None, None, "blank", "1"), nothing, 100)
    counts.add_prediction(Prediction(None, None, EVEN, "not_a_digit", "1"), LIGHT, 100)
    assert at(counts, "predict", "outcome") == [1, 2]
    assert at(counts, "predict", "paper") == [0, 8]
    assert at(counts, "predict", "size") == [5]
    assert not at(counts, "predict", "digit") + at(counts, "predict", "confidence")


@pytest.mark.parametrize(
    ("text", "outcome", "digits"),
    [("20", 0, [0, 2]), ("2?", 1, [2]), ("?", 2, []), ("-", 3, []), ("", 3, [])],
)
def test_reading_is_one_picture_of_many_marks(text: str, outcome: int, digits: list[int]) -> None:
    marks = tuple(
        Mark(int(one), 0.99, EVEN, None, BOX)
        if one.isdigit()
        else Mark(None, None, EVEN, "not_a_digit" if one == "?" else None, BOX, "-" if one == "-" else None)
        for one in text
    )
    counts = Counts()
    counts.add_reading(Reading(text, (), marks, (), "1"), LIGHT, 100)
    assert at(counts, "read", "outcome") == [outcome]
    assert at(counts, "read", "digit") == digits
    assert len(at(counts, "read", "confidence")) == len(digits)
    assert counts.pictures("predict") == 0


def test_counts_add_up_and_others_are_refused() -> None:
    counts = Counts()
    counts.add_prediction(Prediction(7, 0.98, EVEN, None, "1"), LIGHT, 100)
    both = Counts.of(counts.histograms)
    both.add(counts.histograms)
    assert both.histograms["predict"]["digit"][7] == 2
    assert counts.histograms["predict"]["digit"][7] == 1, "copied, not shared"
    shorter = {kind: dict(features) for kind, features in counts.histograms.items()}
    shorter["predict"]["digit"] = [0] * 9
    with pytest.raises(ValueError, match="another version"):
        both.add(shorter)


@pytest.mark.parametrize("kind", KINDS)
def test_bins_are_named(kind: str) -> None:
    features = FEATURES[kind]  # type: ignore[index]  # parametrize gives strings
    for feature in features.values():
        assert len(set(feature.bins)) == len(feature.bins)
        assert not feature.edges or len(feature.bins) == len(feature.edges) + 1
        assert list(feature.edges) == sorted(feature.edges)
