"""How many printed row numbers are marked as printed, and how many handwritten ones are marked wrongly.

    python -m benchmarks.printed_numbers [--model FOLDER] [--digits data/processed] [--seed N] [--count N]

The pictures are tables with printed row numbers (`numbered_tables.py`), the same tables in handwriting, and
the tables, sudokus and grids of `make bench-quality`, plain and photographed. With `--digits`, every second
handwriting copies MNIST's validation digits. A handwritten number that is marked as printed is shown, and
makes the exit status 1.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from digits.reader import Reader, champion_or_default
from digits.results import Reading
from pipeline.mnist.dataset import Digits
from pipeline.synthesis import papers
from pipeline.synthesis.writers import MnistWriter, PenWriter, Writer, habits_of
from tests.quality.numbered_tables import Numbered, fonts, make

_BY_HAND: tuple[papers.Kind, ...] = ("table", "sudoku", "grid")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=champion_or_default())
    parser.add_argument("--digits", type=Path, help="the folder that preprocess writes")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--count", type=int, default=120, help="pictures of each of the three kinds")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader, types = Reader.load(options.model), list(fonts().values())
    copied = Digits.load(options.digits, "validation") if options.digits else None
    habits = None if copied is None else habits_of(copied)
    seen, marked = Counter[str](), Counter[str]()
    for number in range(3 * options.count):
        rng = np.random.default_rng([options.seed, number])
        kind, photo, copies = number % 3, bool(number // 3 % 2), bool(number // 6 % 2)
        writer: Writer = PenWriter(rng, tremor=float(rng.choice([0.0, 0.4])))
        if copied is not None and habits is not None and copies:
            writer = MnistWriter(copied, habits, rng)
        if kind == 2:
            _, picture = papers.make(_BY_HAND[number // 12 % 3], writer, rng, photo=photo)
            table = None
        else:
            font = types[rng.integers(len(types))] if kind == 0 else None
            table = make(writer, font, rng, photo=photo)
            picture = table.picture
        reading = reader.read(picture)
        for told, one in zip(_told(reading, table), reading.numbers, strict=True):
            name = f"{told}, {'photographed' if photo else 'plain'}"
            seen[name] += 1
            marked[name] += one.printed
            if one.printed and told == "by hand":
                print(f"picture {number}: {one.text!r} in row {one.row}, column {one.column} is handwritten")
    for name in sorted(seen):
        share = 100 * marked[name] / seen[name]
        print(f"{name:36s} {marked[name]:6d} of {seen[name]:6d} marked ({share:.1f} %)")
    return int(any(marked[name] for name in marked if name.startswith("by hand")))


def _told(reading: Reading, table: Numbered | None) -> list[str]:
    """Whether each number is printed; unknown if rows and columns were not found."""
    if table is None or not table.printed:
        return ["by hand"] * len(reading.numbers)
    if [(one.rows, one.columns) for one in reading.tables] != [(table.rows, table.columns)]:
        return ["in a table read wrong"] * len(reading.numbers)
    return [
        "by hand"
        if one.row is None or one.column is None or (one.row, one.column) not in table.printed
        else "heading"
        if one.row == 0
        else "row number"
        for one in reading.numbers
    ]


if __name__ == "__main__":
    sys.exit(main())
