"""Finds writing that fills in a form: in a cell, or on a writing line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from digits.layout.atoms import Run
from digits.layout.form.cells import Cells
from digits.layout.pieces import common_box
from digits.layout.rules.rule import Rule

_OVER, _UNDER = 0.5, 0.4  # how far above and below a line writing may end, relative to the writing's height


def on_lines(runs: Sequence[Run], lines: Sequence[Rule]) -> list[Run]:
    """The runs, with those on one of these horizontal lines marked as filled in."""
    return [replace(run, filled_in=True) if _stands_on(run, lines) else run for run in runs]


def in_cells(runs: Sequence[Run], headings: Cells) -> list[Run]:
    """The runs of a table's row, all marked as filled in, and those in one of `headings` with its label."""
    found = []
    for run in runs:
        cell = headings.around(common_box([atom.box for atom in run.atoms]))
        found.append(replace(run, filled_in=True, heading=cell.label if cell else None))
    return found


def _stands_on(run: Run, lines: Sequence[Rule]) -> bool:
    left, top, right, bottom = common_box([atom.box for atom in run.atoms])
    middle, height = (left + right) / 2, bottom - top
    return any(
        line.start <= middle <= line.end
        and -_UNDER * height <= float(line.at(middle)) - bottom <= _OVER * height
        for line in lines
    )
