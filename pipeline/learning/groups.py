"""Groups of near-duplicates: pictures of one drawing, sent again, moved, resized, or with a stroke more.

Such pictures have to lie on one side, or a model would be judged on what it has learnt by heart. What the
network sees is compared: place, size, contrast and stroke are mostly gone from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Marks = NDArray[np.uint8]
"""(n, 28, 28): the marks of a picture, in reading order."""

# Correlations, as docs/decisions/near-duplicates.md measures them:
ALIKE = 0.9  # drawings of one hand movement: of two people's digits hardly any but straight ones
SAME = 0.98  # the very same strokes, rendered once more
_SHIFT = 2  # pixels: a mark's centre of mass moves with a stroke more


class Gallery:
    """Marks to compare others with, each of a picture."""

    def __init__(self, pictures: Mapping[str, Marks]) -> None:
        """The pictures' marks, by the pictures' ids."""
        self.counts = {id: len(marks) for id, marks in pictures.items()}
        everything = [np.zeros((0, 28, 28), np.uint8), *pictures.values()]
        self._flat = _unit(np.concatenate(everything).reshape(-1, 28 * 28))
        ends = np.cumsum([0, *self.counts.values()])
        self._places = dict(zip(self.counts, map(slice, ends, ends[1:]), strict=True))

    def near_duplicates(self, marks: Marks) -> list[str]:
        """The ids of the pictures that show the drawing of these marks, or a part of it."""
        like = self.likeness(marks)
        return [id for id, place in self._places.items() if _are_near(like[:, place])]

    def likeness(self, marks: Marks) -> NDArray[np.float32]:
        """How alike these marks (n,) and all of the gallery's (m,) are at best, shifted a little: -1..1."""
        found = [(_shifted(mark) @ self._flat.T).max(axis=0) for mark in marks]
        return np.asarray(found, np.float32).reshape(len(marks), len(self._flat))


def _are_near(like: NDArray[np.float32]) -> bool:
    """Whether two pictures are near-duplicates, by how alike the marks (n,) of one and (m,) of the other are.

    Single strokes are alike in many numbers: all marks have to be, or one the very same.
    """
    if not like.size:
        return False
    alike = like.shape[0] == like.shape[1] and bool(np.diagonal(like).min() >= ALIKE)
    return alike or bool(like.max() >= SAME)


def _shifted(mark: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mark at every place a little off its own, as unit vectors (places, 784)."""
    windows = sliding_window_view(np.pad(mark, _SHIFT), mark.shape)
    return _unit(windows.reshape(-1, mark.size))


def _unit(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Rows without their means, of length 1: their products are correlations."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6), np.float32)


def grouped(
    new: Sequence[tuple[str, Sequence[str]]], present: Mapping[str, str], sides: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The groups of new pictures, and those that are left out since they would join groups of both sides.

    `new`: each picture with its near-duplicates, known or new, in the order in which they came. `present`:
    the groups of the known pictures, which stay, and `sides` of these groups. A picture that joins several
    new groups makes them one.
    """
    groups, left_out = dict(present), list[str]()
    for id, near in new:
        joined = sorted({groups[other] for other in near if other in groups})
        decided = [group for group in joined if group in sides]
        if len({sides[group] for group in decided}) > 1:
            left_out.append(id)
            continue
        group = (decided or joined or [id])[0]
        undecided = set(joined).difference(sides)
        groups = {one: group if of in undecided else of for one, of in groups.items()} | {id: group}
    return {id: group for id, group in groups.items() if id not in present}, left_out
