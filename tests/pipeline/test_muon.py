from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from pipeline.muon import Muon

Floats = np.ndarray


def moved(shape: tuple[int, ...], gradient: Floats) -> Floats:
    """By how much one step of length 1 moves a variable."""
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
