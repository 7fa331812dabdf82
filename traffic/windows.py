"""The last hours of traffic, and what came before them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from traffic.counts import Counts
from traffic.features import KINDS
from traffic.slots import HOUR, Slot


def hours_ago(hours: int) -> int:
    """When the first of the last hours began; the present one, which is not over, is one more."""
    return int(time.time()) // HOUR * HOUR - hours * HOUR


class Windows(NamedTuple):
    """What a model was asked in the last hours and before, and how many pictures other models were asked."""

    last: Counts
    before: Counts
    of_others: int

    @classmethod
    def of(cls, slots: Iterable[Slot], model: str, hours: int) -> Windows:
        """`model`: its SHA-256. Raises `ValueError` for slots of another version of the project."""
        last, before, others = Counts(), Counts(), Counts()
        for slot in slots:
            recent = slot.start >= hours_ago(hours)
            if slot.model == model:
                (last if recent else before).add(slot.counts)
            elif recent:
                others.add(slot.counts)
        return cls(last, before, sum(map(others.pictures, KINDS)))
