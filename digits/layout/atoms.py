"""Atoms, which are the parts of digits, and runs of neighbouring atoms.

An atom is a piece of ink, or a slice of a piece, that belongs to only one digit. If geometry does not decide
which neighbouring atoms form a digit, the network does (`digits.layout.grouping`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.ink.sheet import Box, Sheet
from digits.layout.pieces import Piece, Pieces, common_box
from digits.layout.signs import Sign
from digits.network.network_input import InkLevels


@dataclass(frozen=True, slots=True)
class Atom:
    """Ink of one digit or of a part of it: its box in the ink map, and the pixels in that box.

    `cut` is the cost of the cut at its left side, relative to the height of the cut (`digits.layout.cuts`).
    """

    box: Box
    pixels: InkLevels
    cut: float = 0.0

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring atoms, from the left, that are not yet divided into digits; `height` is that of the line.

    - `sign`: the run is one mark, which is this sign and not a digit.
    - `single`: the run is all the ink in a box for one digit.
    - `filled_in`: the run is in a cell or on a writing line.
    - `heading`: the label of the run's cell, if the cell is in the first row of a table.
    """

    atoms: tuple[Atom, ...]
    height: float
    sign: Sign | None = None
    single: bool = False
    filled_in: bool = False
    heading: int | None = None


def joined(atoms: tuple[Atom, ...]) -> Atom:
    """Several atoms merged into one."""
    if len(atoms) == 1:
        return atoms[0]
    box = common_box([atom.box for atom in atoms])
    pixels = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    for atom in atoms:
        left, top = atom.box[0] - box[0], atom.box[1] - box[1]
        part = pixels[top : top + atom.height, left : left + atom.width]
        np.maximum(part, atom.pixels, out=part)
    return Atom(box, pixels, atoms[0].cut)


def atom_of(pieces: Pieces, chosen: list[Piece], ink: Sheet) -> Atom:
    """The ink of these pieces as one atom."""
    box, pixels = pieces.only(ink, chosen)
    return Atom(box, pixels)
