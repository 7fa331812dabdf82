"""A moving average of the weights that forgets how a training began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Averaging(keras.optimizers.Optimizer):  # type: ignore[misc]  # Keras comes without types
    """Keras's moving average of the weights, with a momentum that grows to the one that is set.

    After t steps it is at most (1 + t) / (10 + t), as in TensorFlow's ExponentialMovingAverage. Else half of
    the first epoch's average would be weights that nobody has trained yet.
    """

    ema_momentum: Any

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[keras.Variable]) -> None:
        highest, steps = self.ema_momentum, ops.cast(self.iterations, "float32")
        self.ema_momentum = ops.minimum(highest, (1 + steps) / (10 + steps))
        super()._update_model_variables_moving_average(trainable_variables)
        self.ema_momentum = highest


class Adam(Averaging, keras.optimizers.Adam):  # type: ignore[misc]  # Keras comes without types
    """Adam (Kingma & Ba 2014, arXiv 1412.6980)."""


class AdamW(Averaging, keras.optimizers.AdamW):  # type: ignore[misc]  # Keras comes without types
    """Adam with decoupled weight decay (Loshchilov & Hutter 2017, arXiv 1711.05101)."""
