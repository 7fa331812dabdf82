"""bfloat16 only for layers that were built for it, on processors that support it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from pipeline.training import precision
from pipeline.training.precision import FusedBatchNormalization, calculating, processor_has_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512_bf16 avx512_fp16", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_processor_has_bfloat16_where_linux_says_so(
    flags: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor_has_bfloat16() is expected


def test_processor_has_none_where_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
    assert not processor_has_bfloat16()


@pytest.mark.parametrize(("in_bfloat16", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_calculating_holds_for_its_block(in_bfloat16: bool, dtype: str) -> None:
    with calculating(in_bfloat16):
        layer = keras.layers.Dense(1)
    assert (layer.compute_dtype, layer.variable_dtype) == (dtype, "float32")
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_calculating_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), calculating(in_bfloat16=True):
        raise ZeroDivisionError
    assert keras.layers.Dense(1).compute_dtype == "float32"


BATCH = np.random.default_rng(1).normal(3, 2, (64, 5, 5, 8)).astype(np.float32)


def trained(
    kind: type[keras.layers.Layer],
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Return outputs, gradients and weights after one step on a batch."""
    layer = kind(momentum=0.9)
    layer.build(BATCH.shape)
    layer.gamma.assign(np.linspace(0.5, 2, 8))
    layer.beta.assign(np.linspace(-1, 1, 8))
    inputs = tf.constant(BATCH)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    gradients = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
    return outputs.numpy(), [np.asarray(one) for one in gradients], layer.get_weights()


def test_fused_normalization_is_keras_own() -> None:
    fused, own = trained(FusedBatchNormalization), trained(keras.layers.BatchNormalization)
    np.testing.assert_allclose(fused[0], own[0], atol=1e-5)
    for one, other in zip(fused[1], own[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-3)
    for one, other in zip(fused[2], own[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3)


@pytest.mark.parametrize("training", [None, False])
def test_fused_normalization_infers_as_keras_own(training: bool | None) -> None:
    fused, own = FusedBatchNormalization(), keras.layers.BatchNormalization()
    for layer in (fused, own):
        layer.build(BATCH.shape)
        layer.set_weights([np.full(8, value, np.float32) for value in (2, 1, 3, 4)])
    np.testing.assert_array_equal(fused(BATCH, training=training), own(BATCH, training=training))
