"""Which groups are learnt, and which are held back for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from pipeline.mnist.accepted import Side

FEW = 6  # groups held back that a paired test needs at least: all better by luck once in 2**6, below 0.05 / 2


def sides_of(
    new: Collection[str], present: Mapping[str, Side], validation: float, seed: int
) -> dict[str, Side]:
    """The sides of new groups, so that the share `validation` of all groups is held back.

    A few are held back, half of all at most, even where that is more. Which ones follows from `seed` and the
    groups' names. `present`: the sides of the groups that are there already, which stay.
    """
    total = len(new) + len(present)
    wanted = max(round(validation * total), min(FEW, total // 2))
    missing = max(0, wanted - list(present.values()).count("validation"))
    drawn = sorted(new, key=lambda group: hashlib.sha256(f"{seed} {group}".encode()).digest())
    return {group: "validation" if place < missing else "train" for place, group in enumerate(drawn)}
