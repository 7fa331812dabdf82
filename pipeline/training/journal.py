"""Record and print each epoch of a training, with methods for `keras.callbacks.LambdaCallback`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import keras

from pipeline.training.checkpoint import Arrays, Checkpoint, State, restore, variables_of

Logs = dict[str, float]
Log = Callable[[Logs, int], None]
"""A function that receives the metrics of an epoch and its number, counted from 1."""


class Journal:
    """The history of a training, the weights of its best epoch, and its checkpoint.

    The best epoch has the least validation loss. Validation accuracy would choose by luck, because it changes
    by only a handful of digits in the last epochs.
    """

    def __init__(
        self, model: keras.Model, log: Log | None = None, checkpoint: Checkpoint | None = None
    ) -> None:
        self._model, self._log, self._checkpoint = model, log, checkpoint
        self._began = time.monotonic()
        self.first_epoch = 0  # the epoch from which an interrupted training resumes
        self.history: dict[str, list[float]] = {}
        self.best_epoch = 0  # counted from 0
        self.best_weights: Arrays = []

    @property
    def seconds(self) -> float:
        """The duration of the training, including the time before an interruption."""
        return time.monotonic() - self._began

    def resume(self) -> None:
        """Resume from the checkpoint if there is one, and log the earlier epochs again."""
        state = self._checkpoint.load() if self._checkpoint else None
        if state is None:
            return
        restore(self._model, state.variables)
        self._began -= state.seconds
        self.first_epoch, self.history = state.epochs, state.history
        self.best_epoch, self.best_weights = state.best_epoch, state.best_weights
        print(f"train: resuming after epoch {self.first_epoch}", flush=True)
        for epoch in range(self.first_epoch):
            self._tell({name: values[epoch] for name, values in self.history.items()}, epoch)

    def epoch_begins(self, epoch: int) -> None:
        """Save a checkpoint."""
        if self._checkpoint and epoch > self.first_epoch:
            best = (self.best_epoch, self.best_weights)
            self._checkpoint.save(State(epoch, self.seconds, variables_of(self._model), *best, self.history))

    def epoch_ends(self, epoch: int, logs: Logs) -> None:
        """Record an epoch's metrics, and the current weights if the epoch is the best so far."""
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
    """Prints a line per epoch with the remaining time, and on a terminal the progress within the epoch."""

    def __init__(self, epochs: int, steps: int, first_epoch: int) -> None:
        self._epochs, self._steps, self._first = epochs, steps, first_epoch
        self._began = time.monotonic()
        self._shown = 0.0

    def step(self, step: int, logs: Logs) -> None:
        """Show the progress of the epoch on a terminal, at most twice a second."""
        now = time.monotonic()
        if now - self._shown > 0.5:
            self._shown = now
            print(f"\r  step {step + 1}/{self._steps}  loss {logs['loss']:.4f}  ", end="", flush=True)

    def epoch(self, epoch: int, logs: Logs) -> None:
        """Print an epoch's metrics."""
        spent = time.monotonic() - self._began
        left = spent / (epoch + 1 - self._first) * (self._epochs - epoch - 1)
        start = "\r" if sys.stdout.isatty() else ""
        print(
            f"{start}epoch {epoch + 1:2d}/{self._epochs}  loss {logs['loss']:.4f}  "
            f"accuracy {logs['accuracy']:.2%}  validation loss {logs['val_loss']:.4f}  "
            f"accuracy {logs['val_accuracy']:.2%}  {spent:.0f} s, {left:.0f} s left",
            flush=True,
        )
