"""The picture of docs/reading.md: `python -m benchmarks.reading_steps [--model FOLDER]`.

Writes docs/images/reading-steps.png: the steps of `digits.layout` from ink to marks, for one drawing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digits.ink.extraction import find_darkness
from digits.ink.sheet import Box
from digits.layout.atoms import Run, joined
from digits.layout.components import find_pieces
from digits.layout.grouping import settle
from digits.layout.page import find_page
from digits.reader import Reader, champion_or_default
from tests.behaviour.drawing import drawing, picture

PICTURE = Path("docs/images/reading-steps.png")
COLOURS = (
    "tab:blue",
    "tab:orange",
    "tab:green",
    "tab:red",
    "tab:purple",
    "tab:brown",
    "tab:cyan",
    "tab:pink",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=champion_or_default())
    options = parser.parse_args()
    reader = Reader.load(options.model)
    written = _written()
    page = find_page(find_darkness(picture(written)).finer())
    ink = page.ink
    pieces = find_pieces(ink.place, ink.rough, page=True)
    runs = [run for line in page.lines for run in line.runs]
    found = [mark for line in settle(reader.model, list(runs)) for mark in line]
    reading = reader.read(picture(written))

    mpl.use("Agg")
    figure = Figure((9, 10.5), layout="constrained")
    steps = figure.subplots(5, 1)
    for axes in steps:
        axes.imshow(255 - ink.pixels, cmap="gray", vmin=-160)
        axes.set(xticks=[], yticks=[])
    _boxes(steps[0], [piece.box for piece in pieces.kept])
    steps[0].set_title(f"{len(pieces.kept)} pieces: connected ink, dirt left out")
    for at, run in enumerate(runs):
        _boxes(steps[1], [atom.box for atom in run.atoms], COLOURS[at % len(COLOURS)])
    steps[1].set_title(f"{len(runs)} runs (a colour each) of atoms (a box each)")
    _candidates(steps[2], runs)
    steps[2].set_title("candidates: neighbouring atoms of a run that may be one digit")
    _boxes(steps[3], [mark.atom.box for mark in found])
    steps[3].set_title("found: the division that the network likes best; what was too wide is cut")
    for digit in reading.digits:
        left, top, *_ = digit.box
        steps[4].text(left, top - 6, digit.text, fontsize=12)
    _boxes(steps[4], [digit.box for digit in reading.digits])
    steps[4].set_title(f'marks: what the reader answers, here "{reading.text}"')
    figure.savefig(PICTURE, dpi=80, metadata={"Software": None})
    print(f"{PICTURE} shows {reading.text!r}")


def _written() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An 8 and a 6 that touch, a 5 with a detached bar, a 0, a 4, and a speck."""
    size = (900, 200)
    touching = drawing("86", size=size, box=110, at=(40, 50), pen=10, step=0.72)
    apart = drawing("504", size=size, box=110, at=(330, 50), pen=10, step=1.6)
    written = np.minimum(touching, apart)
    written[60:75, 330:450] = 255  # detach the bar of the 5 from its bowl
    written[150:154, 840:844] = 0
    return written


def _boxes(axes: Axes, boxes: Iterable[Box], colour: str | None = None) -> None:
    for at, (left, top, right, bottom) in enumerate(boxes):
        shade = colour or COLOURS[at % len(COLOURS)]
        axes.add_patch(
            Rectangle((left - 3, top - 3), right - left + 6, bottom - top + 6, fill=False, ec=shade, lw=2)
        )


def _candidates(axes: Axes, runs: list[Run]) -> None:
    """Every way to join neighbours, each a little further out than the one before."""
    for run in runs:
        number = 0
        for first in range(len(run.atoms)):
            for after in range(first + 1, len(run.atoms) + 1):
                left, top, right, bottom = joined(run.atoms[first:after]).box
                out = 3 + 4 * number
                _boxes(
                    axes, [(left - out, top - out, right + out, bottom + out)], COLOURS[number % len(COLOURS)]
                )
                number += 1


if __name__ == "__main__":
    main()
