"""What training keeps and says, epoch by epoch: functions for `keras.callbacks.LambdaCallback`."""

from __future__ import annotations

import sys
import time
from typing import Any

import keras

Logs = dict[str, float]


class Best:
    """The weights of the best epoch: most right on validation, then least loss."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._score = (-1.0, 0.0)
        self.epoch = 0
        self.weights: list[Any] = []

    def keep(self, epoch: int, logs: Logs) -> None:
        """Remember the weights as they are now if the epoch (from 0) beats those before it."""
        score = (logs["val_accuracy"], -logs["val_loss"])
        if score > self._score:
            self._score, self.epoch, self.weights = score, epoch, self._model.get_weights()


class Progress:
    """A line for every epoch with the time that is left; on a terminal also where the epoch stands."""

    def __init__(self, epochs: int, steps: int, first_epoch: int = 0) -> None:
        self._epochs, self._steps, self._first = epochs, steps, first_epoch
        self._began = time.monotonic()
        self._shown = 0.0

    def step(self, step: int, logs: Logs) -> None:
        """Show on a terminal how far the epoch is, twice a second at most."""
        now = time.monotonic()
        if sys.stdout.isatty() and now - self._shown > 0.5:
            self._shown = now
            print(f"\r  step {step + 1}/{self._steps}  loss {logs['loss']:.4f}  ", end="", flush=True)

    def epoch(self, epoch: int, logs: Logs) -> None:
        """Tell an epoch's figures."""
        spent = time.monotonic() - self._began
        left = spent / (epoch + 1 - self._first) * (self._epochs - epoch - 1)
        start = "\r" if sys.stdout.isatty() else ""
        print(
            f"{start}epoch {epoch + 1:2d}/{self._epochs}  loss {logs['loss']:.4f}  "
            f"accuracy {logs['accuracy']:.2%}  validation loss {logs['val_loss']:.4f}  "
            f"accuracy {logs['val_accuracy']:.2%}  {spent:.0f} s, {left:.0f} s left",
            flush=True,
        )
