"""Optimizers: Adam, AdamW or Muon, with a constant or one-cycle learning rate, and weight averaging."""

from __future__ import annotations

from typing import Literal

import keras
from keras import ops

from pipeline.project.errors import ParameterError


def make_optimizer(
    name: Literal["adam", "adamw", "muon"],
    *,
    steps: int,
    learning_rate: float,
    schedule: Literal["constant", "one_cycle"] = "constant",
    warmup: float = 0.0,
    weight_decay: float = 0.0,
    average: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Return the optimizer for a training of `steps` steps.

    The schedule "one_cycle" rises to `learning_rate` over the share `warmup` of all steps and then falls to 0
    along a cosine (Smith & Topin 2017, arXiv 1708.07120). `average` is the momentum of the moving average of
    the weights; 0 disables averaging. Raises `ParameterError` for an unknown name or schedule.
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = learning_rate
    if schedule == "one_cycle":
        rate = _one_cycle(learning_rate, steps, warmup)
    elif schedule != "constant":
        raise ParameterError(f"train.optimizer.schedule: {schedule!r} is neither constant nor one_cycle.")
    averaging = {"use_ema": True, "ema_momentum": average} if average else {}
    if name == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=weight_decay, **averaging)
    if name == "muon":
        return Muon(rate, weight_decay=weight_decay, adam_weight_decay=weight_decay, **averaging)
    if name == "adam":
        return keras.optimizers.Adam(rate, **averaging)
    raise ParameterError(f"train.optimizer.name: {name!r} is neither adam nor adamw nor muon.")


def _one_cycle(peak: float, steps: int, warmup: float) -> keras.optimizers.schedules.LearningRateSchedule:
    rising = round(steps * warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 25,
        decay_steps=max(1, steps - rising),
        warmup_target=peak,
        warmup_steps=rising,
    )


class Muon(keras.optimizers.Muon):  # type: ignore[misc]  # Keras comes without types
    """Muon for convolutions (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/).

    Muon orthogonalises the update of a matrix, so that rare directions in the gradients count as much as
    common ones. Keras's Muon uses AdamW for everything but matrices. Here it also updates convolution
    kernels, reshaped to matrices with one column per filter. AdamW still updates the first layer's kernels,
    which see a single channel, and all dense layers, since Muon's author advises against Muon for first and
    last layers.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or variable.shape[2] == 1

    def zeropower_via_newtonschulz5(self, x: keras.KerasTensor, steps: int) -> keras.KerasTensor:
        return ops.reshape(super().zeropower_via_newtonschulz5(_matrix(x), steps), x.shape)

    def lr_adjust(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.reshape(super().lr_adjust(_matrix(x)), x.shape)


def _matrix(kernel: keras.KerasTensor) -> keras.KerasTensor:
    return ops.reshape(kernel, (-1, kernel.shape[-1]))
