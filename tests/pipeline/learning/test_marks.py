"""The marks that are extracted from pictures, and the reasons why others are unusable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits.reader import Reader
from pipeline.learning.marks import Unusable, marks_of
from pipeline.mnist.accepted import NOT_A_DIGIT
from pipeline.synthesis.forms import strokes
from pipeline.synthesis.pen import Hand, write
from tests.behaviour.drawing import drawing, picture
from tests.pipeline.learning.drawings import page


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


def saved(folder: Path, text: str) -> Path:
    picture(drawing(text, size=(620, 220), box=110, at=(30, 50), pen=9)).save(folder / "drawn.png")
    return folder / "drawn.png"


def test_one_digit_is_all_the_writing(reader: Reader, tmp_path: Path) -> None:
    found = marks_of(reader, saved(tmp_path, "7"), "7")
    assert found.labels.tolist() == [7]
    assert np.array_equal(
        found.images[0], reader.explain(picture(drawing("7", (620, 220), 110, (30, 50), 9)))[0].seen
    )


def test_marks_of_a_number_have_the_labels_digits(reader: Reader, tmp_path: Path) -> None:
    path = saved(tmp_path, "2047")
    found = marks_of(reader, path, "2041")
    assert found.labels.tolist() == [2, 0, 4, 1]
    assert np.array_equal(found.images[3], marks_of(reader, path, "2047").images[3])


def test_signs_are_no_digits(reader: Reader, tmp_path: Path) -> None:
    image = drawing("35", size=(620, 220), box=110, at=(130, 50), pen=9)
    image[100:110, 40:95] = 0
    picture(image).save(tmp_path / "minus.png")
    assert reader.read(picture(image)).text.startswith("-")
    assert marks_of(reader, tmp_path / "minus.png", "-35").labels.tolist() == [3, 5]


def test_a_digit_that_the_reader_takes_for_two_is_learnt_whole(reader: Reader, tmp_path: Path) -> None:
    """Two bars side by side with the label of one digit."""
    image = page([np.array([[0.0, 0], [0, 100]]), np.array([[40.0, 0], [40, 100]])])
    assert len(reader.explain(image)) == 2
    image.save(tmp_path / "bars.png")
    (whole,) = marks_of(reader, tmp_path / "bars.png", "4").images
    columns = np.flatnonzero(whole.max(axis=0) > 100)
    assert np.diff(columns).max() > 1, "both bars are seen"


def test_a_mark_that_is_no_digit_has_its_own_label(reader: Reader, tmp_path: Path) -> None:
    curves = write(strokes("0,0 60,100! 0,100 60,0"), np.random.default_rng(1), Hand())
    page(curves).save(tmp_path / "cross.png")
    assert marks_of(reader, tmp_path / "cross.png", "not_a_digit").labels.tolist() == [NOT_A_DIGIT]


@pytest.mark.parametrize(
    ("drawn", "label", "reason"),
    [
        ("2047", "204", "the label has 3 digits, but the reader finds 4"),
        ("", "7", "but the reader finds none"),
        ("", "72", "but the reader finds none"),
    ],
)
def test_another_number_of_digits_is_told(
    reader: Reader, tmp_path: Path, drawn: str, label: str, reason: str
) -> None:
    with pytest.raises(Unusable, match=reason):
        marks_of(reader, saved(tmp_path, drawn), label)


def test_a_damaged_file_is_told(reader: Reader, tmp_path: Path) -> None:
    path = saved(tmp_path, "7")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(Unusable, match="cannot be read as a picture"):
        marks_of(reader, path, "7")
