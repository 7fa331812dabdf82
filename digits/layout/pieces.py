"""The pieces of ink in a picture, which are its connected components, and their label map."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box, Sheet


@dataclass(frozen=True, slots=True)
class Piece:
    """One connected piece of ink: its label in the label map, and its box."""

    label: int
    box: Box

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def size(self) -> int:
        return max(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces that are writing, from the largest, and the label map.

    The map begins at `left`, `top` of the ink map and is `coarse` times smaller. `specks` are pieces that are
    too small for digits: dirt, or dots and commas.
    """

    labels: NDArray[np.int32]
    left: int
    top: int
    coarse: int
    kept: tuple[Piece, ...]
    specks: tuple[Piece, ...] = ()

    def only(self, ink: Sheet, chosen: list[Piece]) -> tuple[Box, NDArray[np.uint8]]:
        """The box around the chosen pieces, and the ink of these pieces alone in it."""
        left, top, right, bottom = box = common_box([piece.box for piece in chosen])
        x, y, n = (left - self.left) // self.coarse, (top - self.top) // self.coarse, self.coarse
        labels = self.labels[y : y + math.ceil((bottom - top) / n), x : x + math.ceil((right - left) / n)]
        mine = _labelled(labels, chosen)
        if n > 1:
            mine = mine.repeat(n, axis=0).repeat(n, axis=1)[: bottom - top, : right - left]
        return box, ink.within(box) * mine

    def along_border(self, piece: Piece, shape: tuple[int, ...]) -> float:
        """The largest share of a side of the picture that this piece covers."""
        left, top, right, bottom = piece.box
        sides = (
            (left == 0, self.labels[:, 0], shape[0]),
            (right == shape[1], self.labels[:, -1], shape[0]),
            (top == 0, self.labels[0], shape[1]),
            (bottom == shape[0], self.labels[-1], shape[1]),
        )
        shares = [
            np.count_nonzero(line == piece.label) * self.coarse / length
            for touches, line, length in sides
            if touches
        ]
        return max(shares, default=0.0)


def common_box(boxes: list[Box]) -> Box:
    """The smallest box around all boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return (min(lefts), min(tops), max(rights), max(bottoms))


def _labelled(labels: NDArray[np.int32], chosen: list[Piece]) -> NDArray[np.bool_]:
    """Where the label is that of a chosen piece."""
    if len(chosen) == 1:
        return np.asarray(labels == chosen[0].label)  # several times faster than a look-up
    wanted = np.zeros(int(labels.max()) + 1, np.bool_)
    wanted[[piece.label for piece in chosen]] = True
    return np.asarray(wanted[labels])
