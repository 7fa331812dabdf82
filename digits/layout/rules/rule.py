"""A printed line, called a rule: its course, its thickness, and its share of ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

_HIDDEN = 1.5  # steps to the end of the next dash

Course = tuple[float, float, float]
"""A parabola: the coefficients of the squared place, of the place, and of 1."""

Places = TypeVar("Places", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A printed line from `start` to `end` along its own direction, at `at(place)` across it, in pixels.

    For a horizontal rule, places are x and `at` returns y; for a vertical one, places are y and `at` returns
    x. `covered` is the share of its length with ink. `step` is the usual distance between the middles of
    successive dashes, or 0 if dashes were not examined one by one.
    """

    start: float
    end: float
    course: Course
    thickness: float
    covered: float
    dashed: bool = False
    step: float = 0.0

    def at(self, place: Places) -> Places:
        """The place of the rule across its direction."""
        square, slope, offset = self.course
        return (square * place + slope) * place + offset

    @property
    def length(self) -> float:
        return self.end - self.start

    @property
    def hidden(self) -> float:
        """How far a dashed rule may continue beyond its ends, if writing hides a dash."""
        return _HIDDEN * self.step

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    @property
    def slope(self) -> float:
        """Pixels across for each pixel along the rule, from end to end."""
        return (self.at(self.end) - self.at(self.start)) / max(self.length, 1.0)

    def path(self, vertical: bool, beyond: float = 0.0, shrink: int = 1) -> NDArray[np.int32]:
        """Points (n, 1, 2) along it, x and y, from `beyond` before its start to `beyond` after its end."""
        places = np.linspace(self.start - beyond, self.end + beyond, 32)
        across = self.at(places)
        points = np.stack([across, places] if vertical else [places, across], axis=1)
        return np.rint(points / shrink).astype(np.int32).reshape(-1, 1, 2)

    def straight_on(self, place: float) -> float:
        """The place across the rule's direction on the straight line through its ends."""
        return self.at(self.start) + self.slope * (place - self.start)


class Rules(NamedTuple):
    """Straight thin lines of a picture, by direction."""

    horizontal: list[Rule]
    vertical: list[Rule]

    @property
    def longest(self) -> float:
        return max((rule.length for rule in (*self.horizontal, *self.vertical)), default=0.0)


def between(left: Rule, right: Rule, share: float) -> Rule:
    """The vertical rule at this share of the way from one vertical rule to another."""

    def mixed(first: float, second: float) -> float:
        return (1 - share) * first + share * second

    square, slope, offset = (mixed(*factors) for factors in zip(left.course, right.course, strict=True))
    return Rule(
        mixed(left.start, right.start),
        mixed(left.end, right.end),
        (square, slope, offset),
        mixed(left.thickness, right.thickness),
        min(left.covered, right.covered),
        left.dashed,
        left.step,
    )


def erased(mask: Mask, rules: Rules) -> Mask:
    """The mask without these lines."""
    rest = mask.copy()
    for some, vertical in zip(rules, (False, True), strict=True):
        for rule in some:
            cv2.polylines(rest, [rule.path(vertical)], False, 0, int(rule.thickness) + 3)
    return rest


def heights(courses: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places of lines with these courses (..., 3) at places (...) along them."""
    return np.asarray((courses[..., 0] * places + courses[..., 1]) * places + courses[..., 2])


def fitted(places: NDArray[np.float64], across: NDArray[np.float64], bent: bool) -> Course:
    """The straight line, or the parabola if `bent`, nearest to these points."""
    courses = fitted_each(places[None], across[None], np.array([bent]), np.ones((1, len(places))))
    square, slope, offset = courses[0].tolist()
    return square, slope, offset


def fitted_each(
    places: NDArray[np.float64],
    across: NDArray[np.float64],
    bent: NDArray[np.bool_],
    weights: NDArray[np.float64] | NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The courses (n, 3) nearest to n rows of points, by least squares (normal equations).

    They are parabolas for rows with `bent` (n,), else straight lines. All are fitted together, because one
    costs as much as all. Points of weight 0 only fill up the rows.
    """
    middle = (weights * places).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    x = places - middle[:, None]
    half = np.maximum(np.abs(x).max(axis=1, where=weights > 0, initial=0.0), 1e-9)
    x /= half[:, None]  # -1..1, so that the equations are well conditioned
    basis = np.stack([np.ones_like(x), x, x * x * bent[:, None]], axis=1)
    weighed = basis * weights[:, None]
    equations = weighed @ basis.transpose(0, 2, 1) + 1e-9 * np.eye(3)
    level, lean, bend = np.linalg.solve(equations, weighed @ across[..., None])[..., 0].T
    square, slope = bend / half**2, lean / half
    return np.stack(
        [square, slope - 2 * square * middle, level - slope * middle + square * middle**2], axis=1
    )
