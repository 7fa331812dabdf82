"""Muon for convolutions: steps of equal strength in all directions (Jordan et al. 2024).

A kernel's update is made orthogonal, so that rare directions in its gradients count as much as common
ones (https://kellerjordan.github.io/posts/muon/). Everything that is no kernel is left to AdamW.
"""

from __future__ import annotations

import keras
from keras import ops

from pipeline.averaging import Averaging


class Muon(Averaging, keras.optimizers.Muon):  # type: ignore[misc]  # Keras comes without types
    """Keras's Muon, which leaves all but matrices to AdamW, taught that a kernel is a matrix too.

    Its rows are what each filter sees, its columns the filters. The first layer's kernels, which see one
    channel alone, and the last layer's matrix stay with AdamW, as Muon's author advises.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or variable.shape[2] == 1

    def zeropower_via_newtonschulz5(self, x: keras.KerasTensor, steps: int) -> keras.KerasTensor:
        return ops.reshape(super().zeropower_via_newtonschulz5(_matrix(x), steps), x.shape)

    def lr_adjust(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.reshape(super().lr_adjust(_matrix(x)), x.shape)


def _matrix(kernel: keras.KerasTensor) -> keras.KerasTensor:
    return ops.reshape(kernel, (-1, kernel.shape[-1]))
