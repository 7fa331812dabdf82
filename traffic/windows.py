"""Counts of the last hours of traffic, and of the days before them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from traffic.counts import Counts
from traffic.features import KINDS
from traffic.slots import HOUR, Slot


def hours_ago(hours: int) -> int:
    """When the hour `hours` before the current one began, in seconds after 1970 (UTC)."""
    return int(time.time()) // HOUR * HOUR - hours * HOUR


class Windows(NamedTuple):
    """Counts of one model's traffic in the last hours and before, and the number of other models' pictures.

    `of_others` covers the last hours only.
    """

    last: Counts
    before: Counts
    of_others: int

    @classmethod
    def of(cls, slots: Iterable[Slot], model: str, hours: int) -> Windows:
        """Windows of the model with this SHA-256.

        `last` covers the last `hours` full hours and the current one. Raises `ValueError` for slots of
        another version of the project.
        """
        last, before, others = Counts(), Counts(), Counts()
        for slot in slots:
            recent = slot.start >= hours_ago(hours)
            if slot.model == model:
                (last if recent else before).add(slot.counts)
            elif recent:
                others.add(slot.counts)
        return cls(last, before, sum(map(others.pictures, KINDS)))
