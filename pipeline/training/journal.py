"""What training keeps and says, epoch by epoch: methods for `keras.callbacks.LambdaCallback`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import keras

from pipeline.training.checkpoint import Arrays, Checkpoint, State, restore, variables_of

Logs = dict[str, float]
Log = Callable[[Logs, int], None]
"""Gets the metrics of an epoch and its number, counted from 1."""


class Journal:
    """The history of a training, the weights of its best epoch, and its checkpoint.

    The best epoch is the one with the least loss on validation. The share right would choose by luck: in the
    last epochs it moves by a handful of digits.
    """

    def __init__(
        self, model: keras.Model, log: Log | None = None, checkpoint: Checkpoint | None = None
    ) -> None:
        self._model, self._log, self._checkpoint = model, log, checkpoint
        self._began = time.monotonic()
        self.first_epoch = 0  # where a training that was interrupted goes on
        self.history: dict[str, list[float]] = {}
        self.best_epoch = 0  # counted from 0
        self.best_weights: Arrays = []

    @property
    def seconds(self) -> float:
        """How long the training has taken, the part before an interruption too."""
        return time.monotonic() - self._began

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        state = self._checkpoint.load() if self._checkpoint else None
        if state is None:
            return
        restore(self._model, state.variables)
        self._began -= state.seconds
        self.first_epoch, self.history = state.epochs, state.history
        self.best_epoch, self.best_weights = state.best_epoch, state.best_weights
        print(f"train: goes on after epoch {self.first_epoch}, where it was interrupted", flush=True)
        for epoch in range(self.first_epoch):
            self._tell({name: values[epoch] for name, values in self.history.items()}, epoch)

    def epoch_begins(self, epoch: int) -> None:
        """Save where the training stands."""
        if self._checkpoint and epoch > self.first_epoch:
            best = (self.best_epoch, self.best_weights)
            self._checkpoint.save(State(epoch, self.seconds, variables_of(self._model), *best, self.history))

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """Note an epoch's figures, and its weights as they are now if it is the best so far."""
        logs = {**logs, "learning_rate": float(self._model.optimizer.learning_rate)}
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        losses = self.history["val_loss"]
        if not self.best_weights or losses[epoch] < losses[self.best_epoch]:
            self.best_epoch, self.best_weights = epoch, self._model.get_weights()
        self._tell(logs, epoch)

    def _tell(self, logs: Logs, epoch: int) -> None:
        if self._log:
            self._log(logs, epoch + 1)


class Progress:
    """A line for every epoch with the time that is left; on a terminal also where the epoch stands."""

    def __init__(self, epochs: int, steps: int, first_epoch: int) -> None:
        self._epochs, self._steps, self._first = epochs, steps, first_epoch
        self._began = time.monotonic()
        self._shown = 0.0

    def step(self, step: int, logs: Logs) -> None:
        """Show on a terminal how far the epoch is, twice a second at most."""
        now = time.monotonic()
        if now - self._shown > 0.5:
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
