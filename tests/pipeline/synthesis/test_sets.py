from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import Digits, load_drawn
from pipeline.project.errors import ParameterError
from pipeline.synthesis.negatives import NOT_A_DIGIT
from pipeline.synthesis.redrawn import redrawn
from pipeline.synthesis.sets import drawn_sets
from pipeline.training.data import digits_by_source, mixed, training_data

SHARES = {"prototypes": 0.5, "redrawn": 0.25, "negatives": 0.3, "spoilt": 0.5, "scans": 0.5}


def bars(count: int) -> Digits:
    """Standing bars, 20 pixels high and 2 to 5 wide."""
    images = np.zeros((count, 28, 28), np.uint8)
    for number, image in enumerate(images):
        image[4:24, 12 : 14 + number % 4] = 255
    return Digits(images, np.ones(count, np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    splits = {"train": bars(40), "validation": bars(20)}
    for name, digits in (splits | drawn_sets(splits, SHARES, seed=1)).items():
        digits.save(tmp_path, name)
    Accepted.none().save(tmp_path, "train")
    return tmp_path


def test_drawn_sets_have_their_share_of_each_split(folder: Path) -> None:
    sizes = {kind: load_drawn(folder, "train", kind).total for kind in SHARES}
    assert sizes == {"prototypes": 20, "redrawn": 10, "negatives": 12, "spoilt": 20, "scans": 20}
    assert load_drawn(folder, "validation", "prototypes").total == 10


def test_drawn_sets_differ_between_splits(folder: Path) -> None:
    train, validation = (load_drawn(folder, split, "prototypes") for split in ("train", "validation"))
    shared = {image.tobytes() for image in train.images} & {image.tobytes() for image in validation.images}
    assert not shared


def test_drawn_sets_refuse_a_name_that_is_none() -> None:
    with pytest.raises(ParameterError, match="prototype"):
        drawn_sets({"train": bars(4)}, SHARES | {"scribbles": 0.1}, seed=1)


def test_mixed_appends_a_share_of_every_set(folder: Path) -> None:
    digits = mixed(folder, "train", 0.5)
    assert digits.total == 40 + 10 + 5 + 6 + 10 + 10
    assert np.array_equal(digits.images[:40], bars(40).images)
    assert (digits.labels[:61] == NOT_A_DIGIT).sum() == 6


def test_mixed_without_a_share_holds_the_digits_alone(folder: Path) -> None:
    assert mixed(folder, "train", 0.0).labels.max() < NOT_A_DIGIT


def test_redrawn_keeps_labels_and_changes_the_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.synthesis.redrawn._SCANNED", 0.0)  # scans are stretched as well
    digits = redrawn(bars(40), 40, seed=1)
    ink = digits.images.sum(axis=(1, 2)) / 255
    assert set(digits.labels.tolist()) == {1}
    assert ink.min() > 20 * 1.5
    assert ink.max() < 20 * 6
    assert len(np.unique(ink.round(1))) > 10


@pytest.mark.parametrize(
    ("share", "at_last", "total", "judged"),
    [(0.5, 0.5, 40 + 82, 20 + 20), (0.5, 0.0, 40 + 82, 20), (0.0, 0.0, 40, 20)],
)
def test_training_data_holds_all_that_is_drawn_or_nothing(
    folder: Path, share: float, at_last: float, total: int, judged: int
) -> None:
    digits, validation, own = training_data(folder, share, at_last, accepted=3)
    assert (digits.total, validation.total, own) == (total, judged, 40)


def test_training_data_has_accepted_feedback_as_often_as_it_counts(folder: Path) -> None:
    before, _, _ = training_data(folder, 0.5, 0.5, accepted=3)
    feedback = Digits(np.full((2, 28, 28), 7, np.uint8), np.array([4, NOT_A_DIGIT], np.uint8))
    Accepted(feedback, np.array(["a", "b"])).save(folder, "train")
    digits, validation, own = training_data(folder, 0.5, 0.5, accepted=3)
    assert (digits.total, own) == (before.total + 6, 46)
    assert digits.labels[40:46].tolist() == [4, NOT_A_DIGIT] * 3
    assert np.array_equal(np.delete(digits.images, range(40, 46), axis=0), before.images)
    assert validation.total == 40, "the validation data is the same"


def test_training_data_for_a_network_of_ten_digits_has_no_other_feedback(folder: Path) -> None:
    feedback = Digits(np.full((2, 28, 28), 7, np.uint8), np.array([4, NOT_A_DIGIT], np.uint8))
    Accepted(feedback, np.array(["a", "b"])).save(folder, "train")
    digits, _, own = training_data(folder, 0.0, 0.0, accepted=1)
    assert (digits.total, own, digits.labels.max()) == (41, 41, 4)


def test_drawn_sets_are_the_same_however_many_processes_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.synthesis.sets._PART", 6)
    alone = drawn_sets({"train": bars(40)}, SHARES, seed=1)
    monkeypatch.setattr("pipeline.synthesis.sets._SECONDS", 60)
    shared = drawn_sets({"train": bars(40)}, SHARES, seed=1)
    assert shared.keys() == alone.keys()
    assert all(np.array_equal(shared[name].images, alone[name].images) for name in alone)


def test_digits_by_source_are_digits_alone(folder: Path) -> None:
    sources = digits_by_source(folder, "train")
    assert set(sources) == {"plain", "prototypes", "redrawn", "spoilt", "scans", "thick"}
    assert all(digits.labels.max() < NOT_A_DIGIT for digits in sources.values())
    assert (sources["spoilt"].total, sources["thick"].total) == (16, 2)
    thick, redrawn_ink = (sources[name].images.mean(axis=(1, 2)) for name in ("thick", "redrawn"))
    assert thick.min() == pytest.approx(np.sort(redrawn_ink)[-2])


def test_digits_by_source_leaves_out_what_is_not_drawn(tmp_path: Path) -> None:
    none = dict.fromkeys(SHARES, 0.0)
    for name, digits in ({"train": bars(4)} | drawn_sets({"train": bars(4)}, none, seed=1)).items():
        digits.save(tmp_path, name)
    assert set(digits_by_source(tmp_path, "train")) == {"plain"}
