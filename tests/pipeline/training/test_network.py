from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from pipeline.project.errors import ParameterError
from pipeline.training.network import Halving, build


def test_build_maps_ink_to_logits() -> None:
    model = build(
        [[4], [8, 8], [8]],
        padding=["same", "valid", "valid"],
        kernels=[5, 3, 3],
        halving=["stride", "pool", "none"],
        outputs=11,
    )
    assert model(np.zeros((3, 28, 28, 1), np.float32)).shape == (3, 11)
    assert model.input_shape == (None, 28, 28, 1)


def test_build_of_the_classic_recipe_has_its_parameters() -> None:
    model = build(
        [[32], [64]],
        padding=["valid", "valid"],
        kernels=[3, 3],
        halving=["pool", "pool"],
        batch_norm=False,
        dropout=0.25,
        dense=[128],
        dense_dropout=0.5,
    )
    convolutions = (9 + 1) * 32 + (9 * 32 + 1) * 64
    dense = (5 * 5 * 64 + 1) * 128 + (128 + 1) * 10
    assert model.count_params() == convolutions + dense


@pytest.mark.parametrize(
    ("halving", "side"), [(["none", "none"], 28), (["stride", "none"], 14), (["pool", "stride"], 7)]
)
def test_build_halves_only_where_asked(halving: list[Halving], side: int) -> None:
    model = build([[2], [2]], padding=["same", "same"], kernels=[3, 3], halving=halving)
    assert model.get_layer(index=-2).output.shape[-1] == side * side * 2


def test_build_scales_inside_the_network() -> None:
    model = build([[2]], padding=["same"], kernels=[3], halving=["pool"], batch_norm=False)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    assert layer.scale == pytest.approx(1 / 255)


@pytest.mark.parametrize(("paddings", "kernels", "halvings"), [(1, 2, 2), (2, 1, 2), (2, 2, 1)])
def test_build_wants_a_padding_a_kernel_and_a_halving_for_each_block(
    paddings: int, kernels: int, halvings: int
) -> None:
    halving: list[Halving] = ["pool", "pool"]
    with pytest.raises(ParameterError, match="one entry for each"):
        build([[2], [2]], padding=["same"] * paddings, kernels=[3] * kernels, halving=halving[:halvings])


def test_build_refuses_an_unknown_halving() -> None:
    unknown: Any = ["pools"]  # as it may stand in params.yaml
    with pytest.raises(ParameterError, match="'pools' is not one of stride, pool, none"):
        build([[2]], padding=["same"], kernels=[3], halving=unknown)
