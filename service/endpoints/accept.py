"""What kind of answer a request asks for: its `Accept` header, as RFC 9110 reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def preferred(accept: Iterable[str], kinds: tuple[str, str]) -> str:
    """The one of two media types that a request would rather have; where it does not care, the first.

    `accept`: the values of its `Accept` headers, which are one list. Media ranges with a broken weight are
    passed over.
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
    """That of the most specific media range that names this type, 0 where none does."""
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((weights[name] for name in ranges if name in weights), 0.0)
