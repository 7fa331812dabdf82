from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from pipeline.errors import ParameterError
from pipeline.optimizer import make_optimizer

STEPS = 100


def rates(**changes: Any) -> list[float]:
    optimizer = make_optimizer(**{"name": "adamw", "steps": STEPS, "learning_rate": 0.01} | changes)
    schedule = optimizer._learning_rate
    return [float(schedule(step)) if callable(schedule) else float(schedule) for step in range(STEPS + 1)]


def test_one_cycle_rises_and_falls_to_nothing() -> None:
    given = rates(schedule="one_cycle", warmup=0.25)
    assert given[0] == pytest.approx(0.01 / 25)
    assert max(given) == pytest.approx(0.01)
    assert given.index(max(given)) == 25
    assert given[:26] == sorted(given[:26])
    assert given[25:] == sorted(given[25:], reverse=True)
    assert given[-1] == pytest.approx(0, abs=1e-9)


def test_constant_stays() -> None:
    assert rates() == pytest.approx([0.01] * (STEPS + 1))


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_average_is_a_moving_average_of_the_weights(average: float) -> None:
    optimizer = make_optimizer("adam", steps=STEPS, learning_rate=0.01, average=average)
    assert optimizer.use_ema is bool(average)
    if average:
        assert optimizer.ema_momentum == average


@pytest.mark.parametrize("name", ["adam", "adamw", "muon"])
def test_average_soon_forgets_where_the_weights_began(name: str) -> None:
    optimizer = make_optimizer(name, steps=STEPS, learning_rate=0.1, average=0.99)
    weight = keras.Variable([100.0])
    weights = []
    for _ in range(STEPS):
        optimizer.apply([keras.ops.ones(1)], [weight])
        weights.append(float(weight[0]))
    (average,) = optimizer._model_variables_moving_average
    assert optimizer.ema_momentum == 0.99
    assert float(average[0]) == pytest.approx(np.mean(weights[-30:]), abs=1)  # of 10 that they have moved
    assert abs(weights[-1] - weights[0]) > 5


@pytest.mark.parametrize("changes", [{"name": "sgd"}, {"schedule": "two_cycles"}])
def test_unknown_names(changes: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="is neither"):
        rates(**changes)
