"""Groups of near-duplicates: pictures of the same drawing, repeated, moved, resized, or with another stroke.

All pictures of a group must be on one side, because a model must not be judged on drawings that it has
memorised. The network's inputs are compared, since they hardly depend on position, size, contrast and stroke
width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Marks = NDArray[np.uint8]
"""The marks of a picture (n, 28, 28), in reading order."""

# Correlations, measured in docs/decisions/near-duplicates.md:
ALIKE = 0.9  # drawings of the same movement; digits of two people rarely reach it, except straight ones
SAME = 0.98  # the same strokes, rendered again
_SHIFT = 2  # pixels, because an additional stroke moves a mark's centre of mass


class Gallery:
    """The marks of a set of pictures, with which others are compared."""

    def __init__(self, pictures: Mapping[str, Marks]) -> None:
        """`pictures` maps ids to marks."""
        self.counts = {id: len(marks) for id, marks in pictures.items()}
        everything = [np.zeros((0, 28, 28), np.uint8), *pictures.values()]
        self._flat = _unit(np.concatenate(everything).reshape(-1, 28 * 28))
        ends = np.cumsum([0, *self.counts.values()])
        self._places = dict(zip(self.counts, map(slice, ends, ends[1:]), strict=True))

    def near_duplicates(self, marks: Marks) -> list[str]:
        """Return the ids of the pictures that show the same drawing as these marks, or part of it."""
        like = self.likeness(marks)
        return [id for id, place in self._places.items() if _are_near(like[:, place])]

    def likeness(self, marks: Marks) -> NDArray[np.float32]:
        """Return the best correlations (n, m) of n marks with the gallery's m over small shifts, -1..1."""
        found = [(_shifted(mark) @ self._flat.T).max(axis=0) for mark in marks]
        return np.asarray(found, np.float32).reshape(len(marks), len(self._flat))


def _are_near(like: NDArray[np.float32]) -> bool:
    """Whether two pictures are near-duplicates, from the correlations (n, m) of their marks.

    Single marks are similar in many numbers. Either all marks must be similar, or at least one must be the
    same.
    """
    if not like.size:
        return False
    alike = like.shape[0] == like.shape[1] and bool(np.diagonal(like).min() >= ALIKE)
    return alike or bool(like.max() >= SAME)


def _shifted(mark: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mark shifted by up to `_SHIFT` pixels each way, as unit vectors (shifts, 784)."""
    windows = sliding_window_view(np.pad(mark, _SHIFT), mark.shape)
    return _unit(windows.reshape(-1, mark.size))


def _unit(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return rows with mean 0 and length 1, whose products are correlations."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6), np.float32)


def grouped(
    new: Sequence[tuple[str, Sequence[str]]], present: Mapping[str, str], sides: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the groups of new pictures, and the ids left out because they would join groups of both sides.

    `new`: ids with their near-duplicates, known or new, in order of arrival. `present`: the groups of known
    pictures, which stay as they are. `sides`: the sides of these groups. If a picture joins several new
    groups, they are merged.
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
