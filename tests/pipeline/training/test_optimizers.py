from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from pipeline.project.errors import ParameterError
from pipeline.training.optimizers import Muon, make_optimizer

STEPS = 100


def rates(**changes: Any) -> list[float]:
    settings: dict[str, Any] = {"name": "adamw", "steps": STEPS, "learning_rate": 0.01} | changes
    optimizer = make_optimizer(**settings)
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


@pytest.mark.parametrize("average", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["adam", "adamw", "muon"])
def test_average_follows_the_weights(name: Literal["adam", "adamw", "muon"], average: float) -> None:
    optimizer = make_optimizer(name, steps=STEPS, learning_rate=0.1, average=average)
    weight = keras.Variable([100.0])
    expected = 0.0
    for step in range(STEPS):
        optimizer.apply([keras.ops.ones(1)], [weight])
        momentum = average if step else 0.0
        expected = momentum * expected + (1 - momentum) * float(weight[0])
    last = float(weight[0])
    optimizer.finalize_variable_values([weight])  # puts the average in the weight's place
    assert float(weight[0]) == pytest.approx(expected, abs=1e-3)
    behind = {0.0: 0, 0.5: 0.1, 0.99: 6.2}[average]  # of the 10 by which the weight fell
    assert expected - last == pytest.approx(behind, abs=0.2)


@pytest.mark.parametrize("changes", [{"name": "sgd"}, {"schedule": "two_cycles"}])
def test_unknown_names(changes: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="is neither"):
        rates(**changes)


Floats = NDArray[np.float32]


def moved(shape: tuple[int, ...], gradient: Floats) -> Floats:
    """Return how far one step of length 1 moves a variable."""
    variable = keras.Variable(np.zeros(shape, np.float32))
    optimizer = Muon(1.0, weight_decay=0.0, adam_weight_decay=0.0)
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable)


def test_muon_moves_a_kernel_as_far_in_all_directions() -> None:
    random = np.random.default_rng(0)
    gradient = random.normal(size=(3, 3, 4, 8)).astype(np.float32)
    gradient[..., 0] *= 100  # one filter's gradient drowns all others
    step = moved(gradient.shape, gradient).reshape(36, 8)
    strengths = np.linalg.svd(step, compute_uv=False)
    assert strengths.max() < 2 * strengths.min()
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.2, rel=0.3)  # about as far as AdamW goes
    assert (step * gradient.reshape(36, 8)).sum() < 0  # downhill


@pytest.mark.parametrize("shape", [(5, 5, 1, 8), (16, 11), (8,)])
def test_muon_leaves_all_else_to_adamw(shape: tuple[int, ...]) -> None:
    gradient = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert moved(shape, gradient) == pytest.approx(-np.sign(gradient), abs=1e-3)
