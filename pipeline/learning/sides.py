"""Choose the groups for training and for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from pipeline.mnist.accepted import Side

FEW = 6  # the fewest groups for a significant paired test, since 1 / 2**6 is below 0.05 / 2


def sides_of(
    new: Collection[str], present: Mapping[str, Side], validation: float, seed: int
) -> dict[str, Side]:
    """Return the sides of new groups, so that the share `validation` of all groups is for validation.

    If that share is fewer than `FEW` groups, `FEW` groups are for validation, or half of all groups if there
    are fewer than twice as many. `seed` and the groups' names determine which ones. `present`: the sides of
    existing groups, which do not change.
    """
    total = len(new) + len(present)
    wanted = max(round(validation * total), min(FEW, total // 2))
    missing = max(0, wanted - list(present.values()).count("validation"))
    drawn = sorted(new, key=lambda group: hashlib.sha256(f"{seed} {group}".encode()).digest())
    return {group: "validation" if place < missing else "train" for place, group in enumerate(drawn)}
