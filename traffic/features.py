"""The features of pictures and marks that are counted, and their bins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

Kind = Literal["predict", "read"]
"""Pictures of one digit (`/predict`, batches), and pictures of any number of digits (`/read`)."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: the `title` that people see, and the names of its bins.

    A numeric feature has one edge fewer than bins. An edge belongs to the bin above it. A categorical
    feature, such as the answered digit, has no edges.
    """

    title: str
    bins: tuple[str, ...]
    edges: tuple[float, ...] = ()


def _number(title: str, unit: str, *edges: float, times: float = 1) -> Feature:
    """A numeric feature whose bins are named after their edges, multiplied by `times` to be in `unit`."""
    names = [f"{edge * times:,g}" for edge in edges]
    between = [f"{low}-{high}" for low, high in pairwise(names)]
    bins = (f"< {names[0]}", *between, f">= {names[-1]}")
    return Feature(f"{title} ({unit})", bins, edges)


_PAPER = _number("paper lightness", "% of white", *(0.1, 0.3, 0.5, 0.65, 0.75, 0.85, 0.92, 0.98), times=100)
_PIXELS = _number("pixels in the picture", "thousands", *(4_000, 40_000, 1_000_000, 2_500_000), times=1e-3)
_INK = _number("ink", "% of the picture's area", *(0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16), times=100)
_SIZE = _number(
    "size of the mark", "% of the picture's longer side", *(k / 10 for k in range(1, 10)), times=100
)
_STROKE = _number(
    "stroke width",
    "% of the mark's longer side",
    *(0.02, 0.035, 0.05, 0.07, 0.09, 0.12, 0.16, 0.22),
    times=100,
)
_CONFIDENCE = _number("confidence", "%", *(0.5, 0.7, 0.9, 0.97, 0.99, 0.997), times=100)
_DIGIT = Feature("digit answered", tuple("0123456789"))

FEATURES: dict[Kind, dict[str, Feature]] = {
    "predict": {
        "paper": _PAPER,
        "pixels": _PIXELS,
        "ink": _INK,
        "size": _SIZE,
        "stroke": _STROKE,
        "confidence": _CONFIDENCE,
        "digit": _DIGIT,
        "outcome": Feature("outcome", ("digit", "not a digit", "blank")),
    },
    "read": {  # ink and size are left out, because they depend on how much is written on the picture
        "paper": _PAPER,
        "pixels": _PIXELS,
        "stroke": _STROKE,
        "confidence": _CONFIDENCE,
        "digit": _DIGIT,
        "outcome": Feature("outcome", ("all read", "some unread", "none read", "blank")),
    },
}
"""The features that are counted, by kind of picture. `outcome` is counted once for each picture."""
