"""Where an interrupted training stood after its last whole epoch, so that it can go on from there."""

# Why it is so: docs/decisions/interruptions.md
from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from pipeline.project.files import atomic_write

Arrays = list[NDArray[Any]]
CODE = Path(__file__).parent  # the room of the training: whatever else changes hardly changes a weight


@dataclass(frozen=True)
class State:
    """A training after `epochs` epochs: all variables, the best weights so far and their epoch (from 0)."""

    epochs: int
    seconds: float
    variables: Arrays
    best_epoch: int
    best_weights: Arrays
    history: dict[str, list[float]]


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds the state of one training. Another training has another file."""

    path: Path

    @classmethod
    def of(cls, folder: Path, params: Mapping[str, Any], data_sha256: str) -> Self:
        """The file for these parameters, data and code: a change of any of them is another training."""
        digest = hashlib.sha256(json.dumps([params, data_sha256], sort_keys=True).encode())
        for source in sorted(CODE.glob("*.py")):
            digest.update(source.read_bytes())
        return cls(folder / f"{digest.hexdigest()[:16]}.npz")

    def save(self, state: State) -> None:
        """Write the state, whole or not at all."""
        plain = {name: getattr(state, name) for name in ("epochs", "seconds", "best_epoch", "history")}
        arrays: dict[str, Any] = {f"variable {n}": array for n, array in enumerate(state.variables)}
        arrays |= {f"best {n}": array for n, array in enumerate(state.best_weights)}
        with atomic_write(self.path) as temporary:
            np.savez(temporary, plain=np.array(json.dumps(plain)), **arrays)

    def load(self) -> State | None:
        """The state as it was saved; None where there is none that can be read."""
        try:
            with self.path.open("rb") as file, np.load(file) as found:
                plain = json.loads(str(found["plain"]))
                variables = [found[name] for name in found.files if name.startswith("variable ")]
                best = [found[name] for name in found.files if name.startswith("best ")]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return State(variables=variables, best_weights=best, **plain)

    def remove(self) -> None:
        """The training is done, and what it gave is written."""
        self.path.unlink(missing_ok=True)


def variables_of(model: keras.Model) -> Arrays:
    """Everything that changes in a training: weights, random states, the optimizer's moments and averages."""
    return [np.array(variable) for variable in _variables(model)]


def restore(model: keras.Model, arrays: Arrays) -> None:
    """Put back what `variables_of` gave into a model that was built and compiled the same way."""
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)


def _variables(model: keras.Model) -> list[keras.Variable]:
    model.optimizer.build(model.trainable_variables)
    metrics = {id(variable) for variable in model.metrics_variables}  # begin anew in every epoch
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return [*own, *model.optimizer.variables]
