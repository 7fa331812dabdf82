from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.network import build


def test_build_maps_ink_to_logits() -> None:
    model = build(
        [[4], [8, 8], [8]], padding=["same", "valid", "valid"], kernels=[5, 3, 3], pools=2, outputs=11
    )
    assert model(np.zeros((3, 28, 28, 1), np.float32)).shape == (3, 11)
    assert model.input_shape == (None, 28, 28, 1)


def test_build_of_the_classic_recipe_has_its_parameters() -> None:
    model = build(
        [[32], [64]],
        padding=["valid", "valid"],
        kernels=[3, 3],
        pools=2,
        batch_norm=False,
        dropout=0.25,
        dense=[128],
        dense_dropout=0.5,
    )
    convolutions = (9 + 1) * 32 + (9 * 32 + 1) * 64
    dense = (5 * 5 * 64 + 1) * 128 + (128 + 1) * 10
    assert model.count_params() == convolutions + dense


def test_build_pools_only_where_asked() -> None:
    sizes = {}
    for pools in (1, 2):
        model = build([[2], [2]], padding=["same", "same"], kernels=[3, 3], pools=pools)
        sizes[pools] = model.get_layer(index=-2).output.shape[-1]
    assert sizes == {1: 14 * 14 * 2, 2: 7 * 7 * 2}


def test_build_scales_inside_the_network() -> None:
    model = build([[2]], padding=["same"], kernels=[3], pools=1, batch_norm=False)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    assert layer.scale == pytest.approx(1 / 255)


def test_build_wants_a_padding_and_a_kernel_for_each_block() -> None:
    with pytest.raises(ValueError, match="zip"):
        build([[2], [2]], padding=["same"], kernels=[3, 3], pools=1)
    with pytest.raises(ValueError, match="zip"):
        build([[2], [2]], padding=["same", "same"], kernels=[3], pools=1)
