from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.learning.sides import FEW, sides_of


def held(sides: Mapping[str, str]) -> set[str]:
    return {group for group, side in sides.items() if side == "validation"}


@pytest.mark.parametrize(
    ("groups", "expected"), [(0, 0), (1, 0), (2, 1), (8, 4), (12, 6), (30, 6), (100, 20)]
)
def test_a_share_is_held_back_and_a_few_where_there_are_enough(groups: int, expected: int) -> None:
    assert len(held(sides_of([str(n) for n in range(groups)], {}, 0.2, seed=1))) == expected


def test_few_are_enough_for_a_test_at_half_of_the_level() -> None:
    assert 2.0**-FEW < 0.05 / 2 < 2.0 ** (1 - FEW)


def test_sides_follow_from_the_seed() -> None:
    names = [str(n) for n in range(40)]
    first = sides_of(names, {}, 0.2, seed=1)
    assert sides_of(names[::-1], {}, 0.2, seed=1) == first
    assert sides_of(names, {}, 0.2, seed=2) != first


def test_new_groups_bring_the_share_about() -> None:
    present = sides_of([str(n) for n in range(40)], {}, 0.2, seed=1)
    assert len(held(present)) == 8
    more = sides_of([f"new {n}" for n in range(10)], present, 0.2, seed=1)
    assert len(held(more)) == 2
    assert not held(sides_of(["one"], present, 0.1, seed=1))
