"""The texts of papers, and that they are reproducible from a seed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.synthesis.conditions import CONDITIONS, Condition, make_condition
from pipeline.synthesis.negatives import NAMED
from pipeline.synthesis.papers import KINDS, Kind, make
from pipeline.synthesis.writers import PenWriter

ONE_NUMBER = ("boxes", "dashed boxes", "dotted boxes", "comb", "cell", "touching", "line")
SEVERAL = ("table", "grid", "sudoku", "page", "columns", "form")


def paper(
    kind: Kind, seed: int, photo: bool = False
) -> tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    rng = np.random.default_rng(seed)
    text, image = make(kind, PenWriter(rng), rng, photo=photo)
    assert image.mode == "RGB"
    return text, np.asarray(image)


@pytest.mark.parametrize("photo", [False, True], ids=["plain", "photo"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_the_same_paper_again(kind: Kind, photo: bool) -> None:
    text, pixels = paper(kind, 3, photo)
    again, same = paper(kind, 3, photo)
    assert (text, pixels.tobytes()) == (again, same.tobytes())
    assert text != paper(kind, 4, photo)[0]
    assert pixels.std() > 5


@pytest.mark.parametrize("kind", KINDS)
def test_texts_keep_to_what_reading_promises(kind: Kind) -> None:
    for seed in range(12):
        text, _ = paper(kind, seed)
        if kind in ONE_NUMBER:
            assert re.fullmatch(r"\d{1,9}", text)
        elif kind == "amount":
            assert re.fullmatch(r"-?\d{1,4}([.,]\d{1,3})?", text)
            assert not text.isdigit()
        else:
            assert kind in SEVERAL
            assert all(re.fullmatch(r"(\d{1,6}|\?)( (\d{1,6}|\?))*", line) for line in text.split("\n"))


def test_two_columns_have_two_numbers_a_line() -> None:
    text, _ = paper("columns", 1)
    assert {len(line.split(" ")) for line in text.split("\n")} == {2}


def test_a_sudoku_has_no_naught() -> None:
    assert not any("0" in paper("sudoku", seed)[0] for seed in range(4))


def test_a_large_photo_has_five_megapixels() -> None:
    rng = np.random.default_rng(1)
    _, image = make("page", PenWriter(rng), rng, photo=True, large=True)
    assert image.width * image.height > 5_000_000


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_say_one_character_at_most(condition: Condition) -> None:
    said = set()
    for seed in range(3 if condition == "photo" else 12):  # a photo takes most of a second
        text, image = make_condition(condition, np.random.default_rng(seed))
        _, same = make_condition(condition, np.random.default_rng(seed))
        assert image.tobytes() == same.tobytes()
        said.add(text)
    expected = {"blank": {""}, "empty form": {""}, "level stroke": {"-"}} | {kind: {"?"} for kind in NAMED}
    assert said == expected[condition] if condition in expected else said <= set("0123456789")
