"""How far a window of traffic is from the reference, and whether that is drift.

A feature has drifted where two things hold. Chance alone would hardly give such counts: a chi-squared test
of the two samples, for the reference is one too, corrected by Holm's method for how many tests there are.
And it is much: at least `LEAST_DISTANCE` of the pictures lie in other bins. Without the second, a large
window would call out differences that nobody could see.
"""

# Why it is so: docs/decisions/drift.md
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from traffic.counts import Counts
from traffic.features import FEATURES, KINDS, Kind

LEVEL = 0.01
"""The probability that a window without drift is called drift, over all its features together."""
LEAST_DISTANCE = 0.1
LEAST_PICTURES = 100
"""Of a kind: fewer say too little, and nothing of that kind is compared."""
Against = Literal["reference", "before"]
"""What the last hours are compared with: what the model was measured on, or the days before them."""
AGAINST: tuple[Against, ...] = get_args(Against)
_EXPECTED = 5.0  # in each bin of either sample, at least: the chi-squared distribution holds from there on


@dataclass(frozen=True, slots=True)
class Comparison:
    """A feature of a window beside the reference's.

    `distance`, 0 to 1, is the share that lies in other bins (the total variation distance). `table` (2, bins)
    are the counts that are tested, the window's first: neighbouring bins are taken together until chance
    expects five in each. `drifted`: the window has drifted in this feature.
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
        """Degrees of freedom; 0 where there is nothing to test, since all lies in one bin."""
        return len(self.table[0]) - 1

    @property
    def chi_squared(self) -> float:
        """Pearson's statistic of the table."""
        window, reference = map(sum, self.table)
        share = window / (window + reference)
        return sum(
            (mine - (mine + theirs) * share) ** 2 / ((mine + theirs) * share * (1 - share))
            for mine, theirs in zip(*self.table, strict=True)
        )


def comparisons(window: Counts, reference: Counts) -> list[Comparison]:
    """Each feature of those kinds of which both have enough pictures; what has drifted is left open."""
    return [
        one
        for kind in KINDS
        if min(window.pictures(kind), reference.pictures(kind)) >= LEAST_PICTURES
        for one in _of_kind(kind, window, reference)
    ]


def judged(found: Sequence[Comparison], critical: Sequence[Sequence[float]]) -> list[Comparison]:
    """The comparisons with `drifted` set; `critical` as in `Reference`.

    Holm's method: each test that is passed at the level of all together leaves one fewer to correct for.
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
    """The most degrees of freedom that a test has, and the most tests that there are."""
    every = [feature for features in FEATURES.values() for feature in features.values()]
    return max(len(feature.bins) for feature in every) - 1, len(every)


def _of_kind(kind: Kind, window: Counts, reference: Counts) -> Iterator[Comparison]:
    for name in FEATURES[kind]:
        mine, theirs = window.histograms[kind][name], reference.histograms[kind][name]
        yield Comparison(kind, name, mine, theirs, _distance(mine, theirs), _table(mine, theirs))


def _distance(mine: Sequence[int], theirs: Sequence[int]) -> float:
    """The total variation distance of two histograms; 0 where one of them is empty."""
    if not sum(mine) or not sum(theirs):
        return 0.0
    shares = zip(_shares(mine), _shares(theirs), strict=True)
    return sum(abs(share - other) for share, other in shares) / 2


def _shares(bins: Sequence[int]) -> list[float]:
    total = sum(bins)
    return [count / total for count in bins]


def _table(mine: Sequence[int], theirs: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both histograms, neighbours taken together until `_EXPECTED` are expected in each bin of either."""
    sizes = (sum(mine), sum(theirs))
    least = _EXPECTED * sum(sizes) / max(min(sizes), 1)  # in both together
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
