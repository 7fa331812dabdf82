"""Write a form by hand: with random variation, and with round strokes of one width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.network_input import InkMap
from pipeline.synthesis.forms import Stroke

Curve = NDArray[np.float64]
"""Closely spaced points (n, 2) along the path of the pen, as x and y."""

_STEPS = 10  # points of a curve between two control points
_ALIKE = 18.0  # the largest mean distance of two similar strokes, at a height of 100
_SUBPIXEL = 4  # fractional bits of coordinates, so cv2 draws at 1/16 of a pixel


@dataclass(frozen=True, slots=True)
class Hand:
    """The variation of a hand around forms of height 100; standard deviations unless noted otherwise."""

    jitter: tuple[float, float] = (1.5, 6.0)  # range of the control points' deviation, drawn for each sign
    slant: float = 0.24  # shear
    turn: float = 11.0  # degrees
    aspect: float = 0.18  # of the logarithm of width by height
    proportion: float = 0.25  # of the logarithm of an exponent that enlarges the top or the bottom
    bend: float = 5.0  # slow waves over the whole sign
    apart: float = 7.0  # the largest deviation of the position of later strokes, drawn for each sign
    ends: float = 0.12  # how early or late strokes begin and end, relative to their last segment
    joined: float = 0.06  # probability that the pen is not lifted between strokes
    tremor: float = 1.2
    styles: tuple[float, float, float] = (
        0.82,
        0.07,
        0.11,
    )  # probabilities of the form as it is, all angular, and all round


def write(
    form: Sequence[Stroke],
    rng: np.random.Generator,
    hand: Hand = Hand(),
    towards: Sequence[Stroke] | None = None,
) -> list[Curve]:
    """Write a form once by a hand; returns one curve per stroke.

    `towards`: another form of the same sign. If its strokes are similar, a form between the two is written.
    """
    curves = _strokes(form, rng, hand)
    if towards is not None and len(towards) == len(form):
        curves = _between(curves, _strokes(towards, rng, hand), rng.uniform(0, 0.7))
    if len(curves) > 1 and rng.random() < hand.joined:
        curves = [np.concatenate(curves)]
    return _warped(curves, rng, hand)


def curve(points: NDArray[np.float64], corners: NDArray[np.bool_]) -> Curve:
    """Return a Catmull-Rom spline through the points (n, 2), split at the corners."""
    if len(points) < 3:
        return points
    stops = [*(np.flatnonzero(corners[1:-1]) + 1), len(points) - 1]
    starts = [0, *stops[:-1]]
    return np.concatenate([_smooth(points[a : b + 1]) for a, b in zip(starts, stops, strict=True)])


def draw(curves: Sequence[Curve], side: float, width: int) -> InkMap:
    """Draw the curves with a round pen `width` pixels wide, scaled to `side` pixels on the longer side."""
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = max(side - width, 1.0) / max(float((high - low).max()), 1e-3)
    margin = width / 2 + 2
    columns, rows = np.ceil((high - low) * scale + 2 * margin).astype(int) + 1
    paper = np.zeros((rows, columns), np.uint8)
    lines = [np.rint(((c - low) * scale + margin) * 2**_SUBPIXEL).astype(np.int32) for c in curves]
    cv2.polylines(paper, lines, False, 255, width, cv2.LINE_AA, _SUBPIXEL)
    return np.asarray(paper / np.float32(255), np.float32)


def some_pen(rng: np.random.Generator) -> tuple[float, int]:
    """Draw a sign's longer side and a pen's width in pixels. The width is 1 % to 20 % of the side."""
    side = rng.uniform(70, 110)
    share = np.exp(rng.uniform(np.log(0.012), np.log(0.2))) if rng.random() < 0.4 else rng.uniform(0.05, 0.18)
    return side, max(1, round(side * share))


def cropped(ink: InkMap) -> InkMap:
    """Return the ink cropped to its bounding box, or unchanged if there is none."""
    seen = ink > 0.02
    if not seen.any():
        return ink
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _strokes(form: Sequence[Stroke], rng: np.random.Generator, hand: Hand) -> list[Curve]:
    """Return each stroke with displaced points, as a curve; sometimes all are angular or all are round."""
    sigma, apart = rng.uniform(*hand.jitter), rng.uniform(0, hand.apart)
    style = rng.choice(["usual", "angular", "round"], p=hand.styles)
    curves = []
    for number, stroke in enumerate(form):
        points = _strayed(stroke.points, sigma, hand.ends, rng) + (rng.normal(0, apart, 2) if number else 0)
        corners = stroke.corners
        if style == "angular":
            corners = np.ones_like(corners)
        elif style == "round":
            corners = corners & (rng.random(corners.shape) > 0.25)
        curves.append(curve(points, corners))
    return curves


def _between(curves: list[Curve], others: list[Curve], share: float) -> list[Curve]:
    """Interpolate by `share` towards the other curves; unchanged if the two are not similar."""
    pairs = [(_even(a), _even(b)) for a, b in zip(curves, others, strict=True)]
    if any(np.linalg.norm(a - b, axis=1).mean() > _ALIKE for a, b in pairs):
        return curves
    if any((np.diff(a, axis=0) * np.diff(b, axis=0)).sum(axis=1).mean() < 0 for a, b in pairs):
        return curves  # one is written in the other direction
    return [a + (b - a) * share for a, b in pairs]


def _even(points: Curve, count: int = 60) -> Curve:
    """Resample a curve to `count` equidistant points."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.linspace(0, way[-1], count)
    return np.stack([np.interp(places, way, axis) for axis in points.T], axis=1)


def _strayed(
    points: NDArray[np.float64], sigma: float, ends: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Displace control points. Open strokes begin and end early or late; closed ones mostly stay closed."""
    closed = len(points) > 3 and np.array_equal(points[0], points[-1])
    points = points + rng.normal(0, sigma, points.shape)
    if closed:
        if rng.random() < 0.6:
            points[-1] = points[0]
        return points
    for end, before in ((0, 1), (-1, -2)):
        points[end] += (points[end] - points[before]) * rng.normal(0, ends)
    return points


def _smooth(points: NDArray[np.float64]) -> Curve:
    if len(points) < 3:
        return points
    if np.array_equal(points[0], points[-1]):
        before, after = points[-2:-1], points[1:2]
    else:
        before, after = 2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1]
    p = np.concatenate([before, points, after])
    t = np.linspace(0, 1, _STEPS)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    spline = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return np.asarray(spline / 2).reshape(-1, 2)


def _warped(curves: list[Curve], rng: np.random.Generator, hand: Hand) -> list[Curve]:
    """Apply one warp to the whole sign: proportions, slow waves, tremor, aspect, slant and rotation."""
    points = np.concatenate(curves)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1.0)
    exponent = np.exp(rng.normal(0, [hand.proportion * 0.6, hand.proportion]))
    exponent[0] = 1.0 if span[0] < 12 else exponent[0]
    waves, phase = rng.uniform(0.25, 0.8, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
    height = rng.normal(0, hand.bend, 2)
    matrix = _linear(rng, hand)
    done = []
    for points in curves:
        place = np.clip((points - low) / span, 0, 1)
        moved = place**exponent * span + height * np.sin(2 * np.pi * (place @ waves.T) + phase)
        if hand.tremor and len(moved) > 4:
            moved = moved + _tremor(len(moved), hand.tremor * rng.exponential(), rng)
        done.append(moved @ matrix.T)
    return done


def _linear(rng: np.random.Generator, hand: Hand) -> NDArray[np.float64]:
    turn = np.deg2rad(rng.normal(0, hand.turn))
    shear = rng.normal(0.08, hand.slant)  # most hands lean forward
    aspect = np.exp(rng.normal(0, hand.aspect))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(rotation @ np.array([[1, -shear], [0, 1]]) @ np.diag([aspect, 1 / aspect]))


def _tremor(length: int, amount: float, rng: np.random.Generator) -> Curve:
    knots = rng.normal(0, amount, (max(2, length // 4), 2))
    place = np.linspace(0, len(knots) - 1, length)
    return np.stack([np.interp(place, np.arange(len(knots)), axis) for axis in knots.T], axis=1)
