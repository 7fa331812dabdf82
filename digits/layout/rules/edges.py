"""Long straight edges, and the pairs of edges that are the two sides of one line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.rule import fitted_each, heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.segments import Segments, chained

_MOST = 400  # greatest number of edges in each direction
_SHARED = 0.5  # least common length of two edges of one rule, relative to the shorter edge's length

Pair = tuple[int, int]
"""The indices of the upper and the lower edge of a rule."""


Chain = tuple[int, ...]
"""The indices of the segments that form an edge."""


class Edges(NamedTuple):
    """Long straight edges (n,) and their courses (n, 3); ink begins (`side` 1) or ends (-1) across them."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    course: NDArray[np.float64]
    side: NDArray[np.int8]
    chains: list[Chain]

    @property
    def length(self) -> NDArray[np.float64]:
        return self.end - self.start


def edges_of(segments: Segments, scale: Scale, most: float = np.inf) -> Edges:
    """The edges formed by these segments, the longest first, with no gap of more than `most` pixels."""
    chains = chained(segments, most)
    start = segments.start[[chain[0] for chain in chains]]
    end = segments.end[[chain[-1] for chain in chains]]
    order = np.argsort(start - end)[:_MOST]
    order = order[(end - start)[order] >= scale.shortest - scale.stroke]
    start, end = start[order], end[order]
    rows = [tuple(chains[k]) for k in order.tolist()]
    longest = max(map(len, rows), default=1)
    number = np.array([[*row, *[-1] * (longest - len(row))] for row in rows], int).reshape(-1, longest)
    weights = np.where(number < 0, 0.0, segments.length[number])
    bent = ((number >= 0).sum(axis=1) > 2) & (end - start > 3 * scale.shortest)
    course = fitted_each(
        np.hstack([segments.start[number], segments.end[number]]),
        np.hstack([segments.first[number], segments.last[number]]),
        bent,
        np.hstack([weights, weights]),
    )
    return Edges(start, end, course, segments.side[number[:, 0]], rows)


def paired(edges: Edges, scale: Scale) -> list[list[Pair]]:
    """The upper and lower edges that belong together, rule by rule: the nearest ones across the ink."""
    upper, lower = (np.flatnonzero(edges.side == side) for side in (1, -1))
    if not len(upper) or not len(lower):
        return []
    start = np.maximum.outer(edges.start[upper], edges.start[lower])
    end = np.minimum.outer(edges.end[upper], edges.end[lower])
    shorter = np.minimum.outer(edges.length[upper], edges.length[lower])
    middle = (start + end) / 2
    apart = heights(edges.course[lower][None], middle) - heights(edges.course[upper][:, None], middle)
    fits = (end - start >= _SHARED * shorter) & (apart > 0) & (apart <= scale.thickest)
    apart = np.where(fits, apart, np.inf)
    rows, columns = np.flatnonzero(fits.any(axis=1)), np.flatnonzero(fits.any(axis=0))
    pairs = {*zip(upper[rows].tolist(), lower[apart[rows].argmin(axis=1)].tolist(), strict=True)}
    pairs |= {*zip(upper[apart[:, columns].argmin(axis=0)].tolist(), lower[columns].tolist(), strict=True)}
    group_of: dict[int, list[Pair]] = {}
    for pair in sorted(pairs):
        same = {id(group_of[edge]): group_of[edge] for edge in pair if edge in group_of}
        group = [pair, *(other for some in same.values() for other in some)]
        group_of.update(dict.fromkeys((edge for other in group for edge in other), group))
    return list({id(group): group for group in group_of.values()}.values())
