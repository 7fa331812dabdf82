"""The page's example pictures are small, and the drawn ones are what their script draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline import examples


def test_examples_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in Path(examples.FOLDER).iterdir()}
    assert {"number.png", "photo.jpg", "table.jpg"} < set(sizes)
    assert max(sizes.values()) <= 30_000, sizes


def test_example_number_is_what_the_script_makes() -> None:
    with Image.open(examples.FOLDER / "number.png") as kept:
        difference = np.abs(np.asarray(kept, int) - np.asarray(examples.number(), int))
    assert difference.mean() < 1


def test_example_photos_are_what_the_script_makes() -> None:
    for name, made in (("photo", examples.photo()), ("table", examples.table())):
        made.thumbnail((examples.WIDEST, examples.WIDEST))
        with Image.open(examples.FOLDER / f"{name}.jpg") as kept:
            assert kept.size == made.size
            difference = np.abs(np.asarray(kept, int) - np.asarray(made, int))
        assert difference.mean() < 6, name  # what a small JPEG loses
