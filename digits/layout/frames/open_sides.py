"""Closes tables that have no line at an outer side, where their horizontal rules end below each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.layout.frames.lattice import EDGE, chosen_of, cut_off
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale

_ROWS = 3  # least number of rules that end below each other
_MANY = 4  # number of rules from which a line that crosses them is not a pen stroke
_OVER = 1.3  # greatest length of such a line beyond these rules, relative to their spacing
_STRAY = 0.02  # tolerance of their ends from a straight line, relative to their usual length
_ASIDE = 0.4  # least distance of an open side from parallel rules, relative to the rules' spacing


def with_open_sides(rules: Rules, shape: tuple[int, ...], scale: Scale) -> Rules:
    """The rules, and new rules that close tables at open sides, left and right or above and below.

    A side that the picture's edge (`shape`: height, width) has cut off stays open.
    """
    height, width = shape
    vertical = [*rules.vertical, *_closing(_ended(rules.horizontal, width), rules.vertical, scale)]
    # If these reach beyond the first and the last row, the table is closed there, too.
    return Rules([*rules.horizontal, *_closing(_ended(vertical, height), rules.horizontal, scale)], vertical)


def _ended(rules: Sequence[Rule], side: int) -> list[Rule]:
    """The rules that end within the picture."""
    return chosen_of(rules, np.logical_not(cut_off(rules, side, EDGE).any(axis=1)))


def _closing(rows: Sequence[Rule], columns: Sequence[Rule], scale: Scale) -> list[Rule]:
    """The columns that close open sides, through the starts or through the ends of all rows of a table."""
    near = scale.stroke + 3.0
    found: list[Rule] = []
    for column in sorted(columns, key=lambda rule: -rule.length):
        table = _joined(rows, column, near)
        if not table:
            continue
        for ends in ([row.start for row in table], [row.end for row in table]):
            side = _side(table, np.array(ends), column, near)
            known = [other for other in (*columns, *found) if side and other.start < side.middle < other.end]
            if side is not None and not _is_beside(side, known, _ASIDE * min(_step(table), _step(known))):
                found.append(side)
    return found


def _joined(rows: Sequence[Rule], column: Rule, near: float) -> list[Rule]:
    """The rows that cross a column from its start to its end, or nearly so if there are many; else none.

    A pen stroke does not begin and end at lines that it crosses, nor does it cross so many. Dashed rules are
    left out, because they may be digits below each other.
    """
    place = float(column.at(column.middle))
    through = [
        row
        for row in rows
        if not (row.dashed or column.dashed)
        and row.start < place < row.end
        and column.start - near <= row.at(place) <= column.end + near
    ]
    if len(through) < _ROWS:
        return []
    through.sort(key=lambda row: float(row.at(place)))
    at = [float(row.at(place)) for row in through]
    beyond = max(abs(at[0] - column.start), abs(at[-1] - column.end))
    most = _OVER * float(np.median(np.diff(at))) if len(through) >= _MANY else 0.0
    return through if beyond <= max(near, most) else []


def _side(table: Sequence[Rule], ends: NDArray[np.float64], column: Rule, near: float) -> Rule | None:
    """The straight line through these ends of a table's rows; None if they are not on a straight line."""
    down = np.array([float(row.at(end)) for row, end in zip(table, ends, strict=True)])
    slope, offset = np.polyfit(down, ends, 1).tolist()
    length = float(np.median([row.length for row in table]))
    if np.abs(slope * down + offset - ends).max() > near + _STRAY * length:
        return None
    start, end = min(float(down[0]), column.start), max(float(down[-1]), column.end)
    return Rule(start, end, (0.0, slope, offset), column.thickness, 1.0)


def _step(rules: Sequence[Rule]) -> float:
    """The usual spacing of these rules."""
    places = sorted(float(rule.at(rule.middle)) for rule in rules)
    return float(np.median(np.diff(places))) if len(places) > 1 else np.inf


def _is_beside(side: Rule, others: Sequence[Rule], room: float) -> bool:
    """Whether another rule closes this side of a table, or nearly so."""
    return any(abs(float(other.at(side.middle) - side.at(side.middle))) < room for other in others)
