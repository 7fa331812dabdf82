"""The search space: ranges from params.yaml, and settings with searched values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from pipeline.project.errors import ParameterError
from pipeline.project.params import read_params
from pipeline.tuning.space import distributions, present, with_values

ROOT = Path(__file__).resolve().parents[3]

SETTINGS: dict[str, Any] = {
    "seed": 1,
    "batch": 32,
    "augment": {"shift": 2.0},
    "optimizer": {"name": "adam", "learning_rate": 0.00123456},
}


def test_space_reads_ranges() -> None:
    space = {
        "batch": [16, 64],
        "augment": {"shift": [0, 4.0]},
        "optimizer": {"learning_rate": [0.001, 0.1, "log"]},
    }
    found = distributions(space, SETTINGS)
    assert found == {
        "batch": IntDistribution(16, 64),
        "augment.shift": FloatDistribution(0, 4.0),
        "optimizer.learning_rate": FloatDistribution(0.001, 0.1, log=True),
    }
    assert present(found, SETTINGS) == {
        "batch": 32,
        "augment.shift": 2.0,
        "optimizer.learning_rate": 0.00123456,
    }
    assert present({"batch": IntDistribution(64, 128)}, SETTINGS) is None


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            {"augment": {"shfit": [0.0, 1.0]}},
            r"cannot have 'augment\.shfit', only batch, augment\.shift, opt",
        ),
        ({"optimizer": {"name": ["adam", "adamw"]}}, r"cannot have 'optimizer\.name'"),
        ({"seed": [1, 2]}, "cannot have 'seed'"),
        ({"batch": 32}, r"batch is 32, but must be \[low, high\]"),
        ({"batch": [16, 64, "lin"]}, "must be"),
        ({"batch": [64, 16]}, "needs low <= high"),
        ({"augment": {"shift": [0.0, 1.0, "log"]}}, "needs 0 < low <= high"),
        ({}, "is empty"),
    ],
)
def test_space_refuses(space: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        distributions(space, SETTINGS)


def test_space_of_params_yaml_fits_and_holds_the_present_values() -> None:
    settings = read_params("train", ROOT / "params.yaml")
    searched = distributions(read_params("search", ROOT / "params.yaml")["space"], settings)
    assert present(searched, settings) is not None


def test_with_values_changes_what_was_searched_alone() -> None:
    changed = with_values(SETTINGS, {"augment.shift": 1.234567, "batch": 20})
    assert changed == SETTINGS | {"augment": {"shift": 1.235}, "batch": 20}
    assert SETTINGS["batch"] == 32
