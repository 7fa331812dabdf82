"""The reader's accuracy, row by row: `python -m benchmarks.quality [--model FOLDER] [--only WORD]`.

The drawings and papers use digit styles that are not in the training data. For each row it prints the share
of fully correct pictures, the share of wrong characters, the median time and the row's minimum. The exit
status is 1 if a row is below its minimum. `--rapidocr PYTHON` also runs RapidOCR, in a Python that has it
installed, on some of the pictures, which takes minutes, and prints both shares of wrong characters.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from digits.reader import Reader, champion_or_default
from pipeline.evaluation.papers import Outcome, Score, ask_all
from pipeline.synthesis.conditions import CONDITIONS
from tests.quality.rows import ROWS, Row

_SHOWN = 4  # pictures per row that RapidOCR reads too
_SCRIPT = Path(__file__).with_name("quality_rapidocr.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=champion_or_default())
    parser.add_argument("--only", default="", help="only the rows with this in their names")
    parser.add_argument("--share", type=float, default=1.0, help="of each row's pictures, at least one")
    parser.add_argument("--wrong", action="store_true", help="show what was read wrong")
    parser.add_argument("--rapidocr", type=Path, help="a Python with rapidocr-onnxruntime")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = [row for row in ROWS if options.only in row.name]
    if not rows:
        parser.error(f"no row has {options.only!r} in its name")
    reader = Reader.load(options.model)
    theirs = _rapidocr(options.rapidocr, rows) if options.rapidocr else {}
    beside = f"  RapidOCR, ours: characters wrong in {_SHOWN} pictures" if theirs else ""
    print(f"{'row':24s} {'right':>6s} {'wrong':>6s} {'n':>4s} {'ms':>7s}  floor{beside}")
    below = 0
    for row in rows:
        count = max(1, round(row.count * options.share))
        outcomes = ask_all(row.ask(reader), row.pictures(count))
        score = Score.of(outcomes)
        holds = row.floor.holds(score)
        below += not holds
        floor = f"{row.floor.right:3.0f} {row.floor.wrong:4.1f} {'OK' if holds else 'BELOW'}"
        compared = _compared(theirs.get(row.name), outcomes)
        print(
            f"{row.name:24s} {100 * score.right:6.1f} {100 * score.wrong:6.1f} {score.pictures:4d}"
            f" {score.milliseconds:7.1f}  {floor:14s}{compared}".rstrip(),
            flush=True,
        )
        if options.wrong:
            for number, one in enumerate(outcomes):
                if not one.right:
                    print(f"    {number}: {one.truth!r} read as {one.said!r}")
    print(f"{below} of {len(rows)} rows below their floor" if below else "all rows reach their floor")
    return int(below > 0)


def _compared(theirs: list[str] | None, ours: list[Outcome]) -> str:
    """The shares of wrong characters of RapidOCR and ours on the same pictures; "" if it was not run."""
    if not theirs:
        return ""
    seen = ours[: len(theirs)]
    theirs = theirs[: len(seen)]
    other = Score.of([Outcome(one.truth, said, 0.0) for one, said in zip(seen, theirs, strict=True)])
    return f"  {100 * other.wrong:6.1f} {100 * Score.of(seen).wrong:6.1f}"


def _rapidocr(python: Path, rows: list[Row]) -> dict[str, list[str]]:
    """RapidOCR's texts of the first pictures of each row of papers; it is not made for single digits."""
    with tempfile.TemporaryDirectory() as name:
        folder, paths = Path(name), dict[str, list[str]]()
        for row in rows:
            if row.kind in CONDITIONS:
                continue
            for number, (_, picture) in enumerate(row.pictures(min(_SHOWN, row.count))):
                path = folder / f"{len(paths)}-{number}.png"
                picture.convert("RGB").save(path)
                paths.setdefault(row.name, []).append(str(path))
        command = [str(python), str(_SCRIPT)]
        done = subprocess.run(command, input=json.dumps(paths), stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, list[str]] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    sys.exit(main())
