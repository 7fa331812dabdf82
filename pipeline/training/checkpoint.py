"""Checkpoints: the state of a training after its last complete epoch, from which it can resume."""

# See docs/decisions/interruptions.md.
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
CODE = Path(__file__).parent  # pipeline/training; changes of other code hardly affect the weights


@dataclass(frozen=True)
class State:
    """A training after `epochs` epochs: all variables, the best weights so far, and their epoch (from 0)."""

    epochs: int
    seconds: float
    variables: Arrays
    best_epoch: int
    best_weights: Arrays
    history: dict[str, list[float]]


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint file of one training."""

    path: Path

    @classmethod
    def of(cls, folder: Path, params: Mapping[str, Any], data_sha256: str) -> Self:
        """Return the file for these parameters, data and training code; any change gives another file."""
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
        """Return the saved state; None if there is no readable checkpoint."""
        try:
            with self.path.open("rb") as file, np.load(file) as found:
                plain = json.loads(str(found["plain"]))
                variables = [found[name] for name in found.files if name.startswith("variable ")]
                best = [found[name] for name in found.files if name.startswith("best ")]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return State(variables=variables, best_weights=best, **plain)

    def remove(self) -> None:
        """Remove the file, after the trained model has been saved."""
        self.path.unlink(missing_ok=True)


def variables_of(model: keras.Model) -> Arrays:
    """Return everything that training changes: weights, random states, optimizer moments and averages."""
    return [np.array(variable) for variable in _variables(model)]


def restore(model: keras.Model, arrays: Arrays) -> None:
    """Load the arrays of `variables_of` into a model that was built and compiled in the same way."""
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)


def _variables(model: keras.Model) -> list[keras.Variable]:
    model.optimizer.build(model.trainable_variables)
    metrics = {id(variable) for variable in model.metrics_variables}  # reset in every epoch
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return [*own, *model.optimizer.variables]
