"""How the weights are moved: Adam, AdamW or Muon, at a constant rate or in one cycle, averaged or not."""

from __future__ import annotations

from typing import Literal

import keras

from pipeline.averaging import Adam, AdamW
from pipeline.errors import ParameterError
from pipeline.muon import Muon


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
    """The optimizer for a training of `steps` steps.

    "one_cycle" rises to `learning_rate` over the share `warmup` of all steps and falls to nothing
    along a cosine (Smith & Topin 2017, arXiv 1708.07120). `average` is the momentum of the moving
    average of the weights; 0 is none. Raises `ParameterError` for a name that is not known.
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = learning_rate
    if schedule == "one_cycle":
        rate = _one_cycle(learning_rate, steps, warmup)
    elif schedule != "constant":
        raise ParameterError(f"train.optimizer.schedule: {schedule!r} is neither constant nor one_cycle.")
    averaging = {"use_ema": True, "ema_momentum": average} if average else {}
    if name == "adamw":
        return AdamW(rate, weight_decay=weight_decay, **averaging)
    if name == "muon":
        return Muon(rate, weight_decay=weight_decay, adam_weight_decay=weight_decay, **averaging)
    if name == "adam":
        return Adam(rate, **averaging)
    raise ParameterError(f"train.optimizer.name: {name!r} is neither adam nor adamw nor muon.")


def _one_cycle(peak: float, steps: int, warmup: float) -> keras.optimizers.schedules.LearningRateSchedule:
    rising = round(steps * warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 25,
        decay_steps=max(1, steps - rising),
        warmup_target=peak,
        warmup_steps=rising,
    )
