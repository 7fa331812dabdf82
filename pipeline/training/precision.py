"""Training arithmetic: bfloat16 on processors that support it, and fused batch normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}  # Linux's names; without them bfloat16 is slower than float32
_CPUINFO = Path("/proc/cpuinfo")


def processor_has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16, according to Linux; False on other systems."""
    try:
        return not _INSTRUCTIONS.isdisjoint(_CPUINFO.read_text().split())
    except OSError:
        return False


@contextmanager
def calculating(in_bfloat16: bool) -> Iterator[None]:
    """Make layers created in this block compute in bfloat16 or float32; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if in_bfloat16 else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras comes without types
    """Keras's layer with the same variables, but trained with TensorFlow's fused operation.

    Keras composes batch normalisation of about twenty operations, which take an eighth of the training time
    on two cores. The fused operation averages the sample variance (divided by n - 1), which differs by less
    than one in a thousand.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        for moving, present in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + present * (1 - self.momentum))
        return outputs
