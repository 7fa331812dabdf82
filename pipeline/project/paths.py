"""The paths of the project's files and folders."""

from __future__ import annotations

import os
from pathlib import Path

PARAMS = Path("params.yaml")
RAW = Path("data/raw")
PROCESSED = Path("data/processed")
ACCEPTED = Path("data/accepted/pictures")  # accepted feedback; only `make learn` writes here
ACCEPTED_POINTER = Path("data/accepted/pictures.dvc")  # DVC's pointer to ACCEPTED; commit it to git
CANDIDATE = Path("models/candidate")
CURVES = "training.csv"  # in the candidate's folder and in the reports; one row of metrics per epoch
CHECKPOINTS = Path("models/checkpoints")
REPORTS = Path("reports")
PROFILES = Path("profiles")
NAME = "digits"  # the name of the MLflow experiment and of the registered model
IN_CONTAINERS = Path("/project")  # where docker-compose.yml mounts the checkout


def root() -> Path:
    """Return the absolute path of the checkout, even if DVC runs in a copy of it (`dvc exp run --temp`)."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def is_mounted() -> bool:
    """Whether this process runs in a container of docker-compose.yml, where the project has another path."""
    return os.environ.get("PROJECT_IS_MOUNTED") == "1"


def champion() -> Path:
    """Return the folder of the served model."""
    return root() / "models" / "champion"


def store() -> Path:
    """Return the folder with MLflow's database and artifacts."""
    return root() / "mlruns"


def database() -> Path:
    """Return the path of MLflow's database."""
    return store() / "mlflow.db"


def artifacts() -> str:
    """Return the file URI of the folder with the artifacts of MLflow's runs."""
    return (store() / "artifacts").as_uri()
