"""Long straight edges, and which two of them are the sides of one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from digits.layout.rules.rule import Course, fitted, heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.segments import Segments, chained

_MOST = 400  # edges in each direction
_SHARED = 0.5  # of the shorter edge's length that two edges of one rule have in common


class Edge(NamedTuple):
    """A long straight edge: where ink begins (`side` 1) or ends (-1) across it."""

    start: float
    end: float
    course: Course
    side: int

    def at(self, place: float) -> float:
        square, slope, offset = self.course
        return (square * place + slope) * place + offset


def edges_of(segments: Segments, scale: Scale, most: float = np.inf) -> Iterator[Edge]:
    """The edges that these segments make, the longest first; none has a gap of more than `most` pixels."""
    chains = chained(segments, most)
    lengths = np.array([segments.end[chain[-1]] - segments.start[chain[0]] for chain in chains])
    for number in np.argsort(-lengths)[:_MOST].tolist():
        if lengths[number] < scale.shortest - scale.stroke:
            return
        own = segments.of(chains[number])
        weights = np.sqrt(np.tile(own.length, 2))
        places, across = np.concatenate([own.start, own.end]), np.concatenate([own.first, own.last])
        bent = len(own.start) > 2 and lengths[number] > 3 * scale.shortest
        yield Edge(
            float(own.start[0]), float(own.end[-1]), fitted(places, across, bent, weights), int(own.side[0])
        )


def paired(edges: Sequence[Edge], scale: Scale) -> Iterable[list[tuple[Edge, Edge]]]:
    """The upper and lower edges that belong together, rule by rule: the nearest across the ink."""
    upper, lower = ([edge for edge in edges if edge.side == side] for side in (1, -1))
    if not upper or not lower:
        return []
    start, end = (
        np.maximum.outer([e.start for e in upper], [e.start for e in lower]),
        np.minimum.outer([e.end for e in upper], [e.end for e in lower]),
    )
    shorter = np.minimum.outer([e.end - e.start for e in upper], [e.end - e.start for e in lower])
    middle = (start + end) / 2
    above, below = (np.array([edge.course for edge in some], float) for some in (upper, lower))
    apart = heights(below[None], middle) - heights(above[:, None], middle)
    fits = (end - start >= _SHARED * shorter) & (apart > 0) & (apart <= scale.thickest)
    apart = np.where(fits, apart, np.inf)
    pairs = {(k, int(np.argmin(apart[k]))) for k in range(len(upper)) if fits[k].any()}
    pairs |= {(int(np.argmin(apart[:, k])), k) for k in range(len(lower)) if fits[:, k].any()}
    groups: list[list[tuple[int, int]]] = []
    for pair in sorted(pairs):
        same = [group for group in groups if any(one[0] == pair[0] or one[1] == pair[1] for one in group)]
        groups = [group for group in groups if group not in same]
        groups.append([pair, *(one for group in same for one in group)])
    return [[(upper[one], lower[two]) for one, two in group] for group in groups]
