"""Where things lie in a project, and how a stage gets its parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PARAMS = Path("params.yaml")
RAW = Path("data/raw")
PROCESSED = Path("data/processed")
CANDIDATE = Path("models/candidate")
CURVES = "training.csv"  # beside the candidate, and in the reports: a row of metrics an epoch
CHECKPOINTS = Path("models/checkpoints")
REPORTS = Path("reports")
NAME = "digits"  # of MLflow's experiment and of the registered model


def root() -> Path:
    """The real checkout, absolute: also where DVC runs a stage in a copy (`dvc exp run --temp`)."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def champion() -> Path:
    """The folder of the model that is served."""
    return root() / "models" / "champion"


def store() -> Path:
    """The folder of MLflow's database and artifacts."""
    return root() / "mlruns"


def database() -> Path:
    """The file of MLflow's database."""
    return store() / "mlflow.db"


def artifacts() -> str:
    """Where MLflow keeps what runs leave: a file URI."""
    return (store() / "artifacts").as_uri()


def read_params(section: str, path: Path = PARAMS) -> dict[str, Any]:
    """One section of `params.yaml`, to be passed on as keywords: a misspelt key then fails."""
    values: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return dict(values[section])


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values with dotted names: {"a": {"b": 1}} becomes {"a.b": 1}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def write_text(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
