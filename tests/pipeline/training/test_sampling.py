from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.project.errors import ParameterError
from pipeline.training.sampling import Epochs


def planned(
    total: int, own: int, drawn: float, drawn_last: float | None = None, *, count: int = 8, seed: int = 7
) -> Epochs:
    return Epochs(total, own, count, drawn, drawn if drawn_last is None else drawn_last, seed)


def orders(plan: Epochs) -> list[NDArray[np.intp]]:
    return [plan.order(epoch) for epoch in range(plan.count)]


def test_order_holds_all_own_digits_and_every_drawn_one_in_its_turn() -> None:
    epochs = orders(planned(100, 60, 0.25))
    assert all(sorted(seen)[:60] == list(range(60)) for seen in epochs)
    assert {len(seen) for seen in epochs} == {70}
    drawn = [sorted(seen[seen >= 60].tolist()) for seen in epochs]
    for four in (drawn[:4], drawn[4:]):
        assert sorted(number for epoch in four for number in epoch) == list(range(60, 100))
    assert drawn[:4] != drawn[4:]  # in another order


def test_order_goes_on_where_a_share_does_not_divide_the_whole() -> None:
    counts = np.bincount(np.concatenate(orders(planned(13, 3, 0.7, count=10))))
    assert set(counts[:3]) == {10}
    assert set(counts[3:]) == {7}


def test_order_shuffles_anew_in_every_epoch() -> None:
    first, second, *_ = orders(planned(50, 50, 1.0))
    assert sorted(first) == sorted(second)
    assert list(first) != list(second)


def test_order_may_leave_out_all_that_is_drawn() -> None:
    assert sorted(planned(9, 5, 0.0).order(3)) == [0, 1, 2, 3, 4]


def test_size_counts_own_digits_and_a_share_of_the_others() -> None:
    assert planned(100, 60, 0.25).size == 70
    assert planned(100, 100, 0.25).size == 100


def test_last_quarter_has_less_that_is_drawn_and_own_digits_again() -> None:
    epochs = orders(planned(100, 60, 0.5, 0.1))
    assert {len(seen) for seen in epochs} == {80}
    assert [int((seen >= 60).sum()) for seen in epochs] == [20] * 6 + [4] * 2
    assert all(set(seen) >= set(range(60)) for seen in epochs)


def test_last_quarter_goes_on_in_the_rounds_of_both() -> None:
    epochs = orders(planned(100, 60, 0.5, 0.1, count=16))
    counts = np.bincount(np.concatenate(epochs))
    assert set(counts[:60]) == {17, 18}  # sixteen times, and 4 x 16 places for 60 digits
    assert counts[60:].sum() == 12 * 20 + 4 * 4
    assert set(counts[60:]) == {6, 7}


def test_first_epochs_are_those_without_a_last_share() -> None:
    usual, less = orders(planned(100, 60, 0.5)), orders(planned(100, 60, 0.5, 0.1))
    assert all(np.array_equal(a, b) for a, b in zip(usual[:6], less[:6], strict=True))
    assert not np.array_equal(usual[6], less[6])


def test_more_that_is_drawn_at_last_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"drawn_last \(0.4\) cannot be more than train.drawn \(0.3\)"):
        planned(100, 60, 0.3, 0.4)
