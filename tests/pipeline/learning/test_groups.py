"""Near-duplicates: variants of one drawing are in one group, and other people's digits are not."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse.csgraph import connected_components

from digits.reader import Reader
from pipeline.learning.groups import ALIKE, Gallery, grouped
from pipeline.synthesis.pen import Curve
from pipeline.synthesis.prototypes import prototype
from tests.pipeline.learning.drawings import as_jpeg, page, short_stroke

SMALL = Path(__file__).resolve().parents[2] / "data" / "mnist-small"
DRAWINGS = 60


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


def seen(reader: Reader, image: Image.Image) -> NDArray[np.uint8]:
    found = reader.seen(image)
    assert found is not None
    return found[None]


def again(how: str, curves: Sequence[Curve], rng: np.random.Generator) -> Image.Image:
    """Return a variant of the same drawing."""
    if how == "moved":
        return page(curves, at=(110, 15))
    if how == "resized":
        return page(curves, side=95, pen=8)
    if how == "jpeg":
        return as_jpeg(page(curves))
    return page([*curves, short_stroke(curves, rng)])


@pytest.mark.parametrize(
    ("how", "share"), [("moved", 1.0), ("resized", 0.95), ("jpeg", 1.0), ("stroke", 0.85)]
)
def test_one_drawing_sent_in_another_way_is_a_near_duplicate(reader: Reader, how: str, share: float) -> None:
    found = 0
    for number in range(DRAWINGS):
        rng = np.random.default_rng(number)
        curves = prototype(number % 10, rng)
        gallery = Gallery({"first": seen(reader, page(curves))})
        found += gallery.near_duplicates(seen(reader, again(how, curves, rng))) == ["first"]
    assert found >= share * DRAWINGS


def test_what_other_people_write_is_no_near_duplicate() -> None:
    """Few of a hundred people's digits share a group, except for straight ones, many of which are similar."""
    content = {
        kind: gzip.decompress((SMALL / f"train-{kind}.gz").read_bytes())
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    }
    images = np.frombuffer(content["images-idx3-ubyte"], np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(content["labels-idx1-ubyte"], np.uint8, offset=8)
    for digit in range(10):
        own = images[labels == digit]
        like = Gallery({str(n): image[None] for n, image in enumerate(own)}).likeness(own)
        largest = np.bincount(connected_components(like >= ALIKE)[1]).max()
        assert largest <= (70 if digit == 1 else 12), digit


def test_numbers_with_one_digit_in_common_are_not_near_duplicates() -> None:
    rng = np.random.default_rng(1)
    one, other, third = (_blot(rng) for _ in range(3))
    stroke, alike = _bar(4), _bar(5)
    gallery = Gallery({"number": np.stack([stroke, one]), "whole": np.stack([one, other, third])})
    assert gallery.near_duplicates(np.stack([alike, other, third])) == ["whole"]
    assert gallery.near_duplicates(np.stack([alike, other])) == ["whole"]
    assert gallery.near_duplicates(np.stack([alike, _blot(rng)])) == []
    assert gallery.near_duplicates(one[None]) == ["number", "whole"], "the very same strokes"


def _blot(rng: np.random.Generator) -> NDArray[np.uint8]:
    image = np.zeros((28, 28), np.uint8)
    image[6:22, 6:22] = rng.integers(0, 2, (16, 16)) * 255
    return image


def _bar(width: int) -> NDArray[np.uint8]:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12 : 12 + width] = 255
    return image


def test_a_near_duplicate_joins_the_group_of_the_first() -> None:
    groups, left_out = grouped([("a", ["a"]), ("b", ["b", "a"]), ("c", ["c"])], {}, {})
    assert (groups, left_out) == ({"a": "a", "b": "a", "c": "c"}, [])


def test_a_picture_between_two_new_groups_makes_them_one() -> None:
    groups, _ = grouped([("a", []), ("b", []), ("c", ["a", "b"]), ("d", ["b"])], {}, {})
    assert set(groups.values()) == {"a"}


def test_known_groups_stay_and_take_what_is_like_them() -> None:
    groups, left_out = grouped([("a", []), ("b", ["a", "known"])], {"known": "k"}, {"k": "train"})
    assert (groups, left_out) == ({"a": "k", "b": "k"}, [])


def test_a_picture_between_both_sides_is_left_out() -> None:
    sides = {"k": "train", "v": "validation"}
    present = {"one": "k", "two": "v"}
    groups, left_out = grouped([("a", ["one", "two"]), ("b", ["a"]), ("c", ["one"])], present, sides)
    assert left_out == ["a"]
    assert groups == {"b": "b", "c": "k"}
    _, chained = grouped([("a", ["one"]), ("b", ["a", "two"])], present, sides)
    assert chained == ["b"]
