"""The distance of a window of traffic from the reference, and whether it is drift.

A feature has drifted if both of these conditions are met:

- The difference is significant in a chi-squared test of two samples (the reference is a sample too),
  corrected for the number of tests by Holm's method.
- The difference is large: at least `LEAST_DISTANCE` of the pictures lie in other bins. Without this
  condition, a window of very many pictures would report differences that nobody could see.
"""

# See docs/decisions/drift.md.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from traffic.counts import Counts
from traffic.features import FEATURES, KINDS, Kind

LEVEL = 0.01
"""The probability of a false alarm in a window without drift, over all its features together."""
LEAST_DISTANCE = 0.1
LEAST_PICTURES = 100
"""The fewest pictures of one kind. With fewer in the window or the reference, the kind is not compared."""
Against = Literal["reference", "before"]
"""What the last hours are compared with: the pictures that the model was measured on, or the days before."""
AGAINST: tuple[Against, ...] = get_args(Against)
_EXPECTED = 5.0  # least expected count in a bin of either sample: below it the chi-squared test is inaccurate


@dataclass(frozen=True, slots=True)
class Comparison:
    """One feature's histogram in a window, compared with its histogram in the reference.

    `distance` is the total variation distance, 0 to 1: the share of the counts that lies in other bins.
    `table` has shape (2, bins) and is the contingency table that is tested, with the window in its first row.
    Its bins are neighbouring bins, merged until the expected count of each is five or more. `drifted` is true
    if the window has drifted in this feature.
    """

    kind: Kind
    name: str
    window: list[int]
    reference: list[int]
    distance: float
    table: tuple[tuple[int, ...], tuple[int, ...]]
    drifted: bool = False

    @property
    def freedom(self) -> int:
        """Degrees of freedom; 0 if all counts are in one bin, so that there is nothing to test."""
        return len(self.table[0]) - 1

    @property
    def chi_squared(self) -> float:
        """Pearson's chi-squared statistic of the table."""
        window, reference = map(sum, self.table)
        share = window / (window + reference)
        return sum(
            (mine - (mine + theirs) * share) ** 2 / ((mine + theirs) * share * (1 - share))
            for mine, theirs in zip(*self.table, strict=True)
        )


def comparisons(window: Counts, reference: Counts) -> list[Comparison]:
    """Compare every feature of the kinds with `LEAST_PICTURES` in both; `judged` sets `drifted`."""
    return [
        one
        for kind in KINDS
        if min(window.pictures(kind), reference.pictures(kind)) >= LEAST_PICTURES
        for one in _of_kind(kind, window, reference)
    ]


def judged(found: Sequence[Comparison], critical: Sequence[Sequence[float]]) -> list[Comparison]:
    """The comparisons with `drifted` set; `critical` is that of `Reference`.

    Holm's method: after each significant test, the others are corrected for one test fewer.
    """
    unlikely: set[int] = set()
    while True:
        left = len(found) - len(unlikely)
        more = {
            k
            for k, one in enumerate(found)
            if k not in unlikely and one.freedom and one.chi_squared >= critical[one.freedom - 1][left - 1]
        }
        if not more:
            break
        unlikely |= more
    return [
        replace(one, drifted=k in unlikely and one.distance >= LEAST_DISTANCE) for k, one in enumerate(found)
    ]


def most_tests() -> tuple[int, int]:
    """The highest number of degrees of freedom of any test, and the highest number of tests."""
    every = [feature for features in FEATURES.values() for feature in features.values()]
    return max(len(feature.bins) for feature in every) - 1, len(every)


def _of_kind(kind: Kind, window: Counts, reference: Counts) -> Iterator[Comparison]:
    for name in FEATURES[kind]:
        mine, theirs = window.histograms[kind][name], reference.histograms[kind][name]
        yield Comparison(kind, name, mine, theirs, _distance(mine, theirs), _table(mine, theirs))


def _distance(mine: Sequence[int], theirs: Sequence[int]) -> float:
    """The total variation distance of two histograms, 0 to 1; 0 if one of them is empty."""
    if not sum(mine) or not sum(theirs):
        return 0.0
    shares = zip(_shares(mine), _shares(theirs), strict=True)
    return sum(abs(share - other) for share, other in shares) / 2


def _shares(bins: Sequence[int]) -> list[float]:
    total = sum(bins)
    return [count / total for count in bins]


def _table(mine: Sequence[int], theirs: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both histograms, with neighbouring bins merged until each expected count is at least `_EXPECTED`."""
    sizes = (sum(mine), sum(theirs))
    least = _EXPECTED * sum(sizes) / max(min(sizes), 1)  # count of a bin in both histograms together
    bins: list[tuple[int, int]] = []
    waiting = (0, 0)
    for pair in zip(mine, theirs, strict=True):
        waiting = (waiting[0] + pair[0], waiting[1] + pair[1])
        if sum(waiting) >= least:
            bins.append(waiting)
            waiting = (0, 0)
    if bins:
        bins[-1] = (bins[-1][0] + waiting[0], bins[-1][1] + waiting[1])
    else:
        bins.append(waiting)
    return tuple(pair[0] for pair in bins), tuple(pair[1] for pair in bins)
