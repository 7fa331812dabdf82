"""The media type that a request prefers: its `Accept` header (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def preferred(accept: Iterable[str], kinds: tuple[str, str]) -> str:
    """The preferred one of two media types; the first on a tie.

    `accept`: the values of all `Accept` headers, which form one list. Media ranges with an invalid weight
    (`q`) are ignored.
    """
    weights: dict[str, float] = {}
    for part in ",".join(accept).lower().split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        given = [
            word.partition("=")[2].strip() for word in parameters if word.partition("=")[0].strip() == "q"
        ]
        if all(map(_WEIGHT.fullmatch, given[:1])):
            weights[kind] = max(float(given[0]) if given else 1.0, weights.get(kind, 0.0))
    usual, other = (_weight(kind, weights) for kind in kinds)
    return kinds[1] if other > usual else kinds[0]


def _weight(kind: str, weights: dict[str, float]) -> float:
    """The weight of the most specific media range that matches `kind`, or 0 if none does."""
    for media_range in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0
