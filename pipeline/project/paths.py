"""Where things lie in a project."""

from __future__ import annotations

import os
from pathlib import Path

PARAMS = Path("params.yaml")
RAW = Path("data/raw")
PROCESSED = Path("data/processed")
ACCEPTED = Path("data/accepted/pictures")  # of feedback; `make learn` alone writes it
ACCEPTED_POINTER = Path("data/accepted/pictures.dvc")  # what DVC knows of them: it belongs in git
CANDIDATE = Path("models/candidate")
CURVES = "training.csv"  # beside the candidate, and in the reports: a row of metrics an epoch
CHECKPOINTS = Path("models/checkpoints")
REPORTS = Path("reports")
PROFILES = Path("profiles")
NAME = "digits"  # of MLflow's experiment and of the registered model
IN_CONTAINERS = Path("/project")  # where docker-compose.yml mounts the checkout


def root() -> Path:
    """The real checkout, absolute: also where DVC runs a stage in a copy (`dvc exp run --temp`)."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()


def is_mounted() -> bool:
    """Whether this is a container of docker-compose.yml, whose path of the project is not the host's."""
    return os.environ.get("PROJECT_IS_MOUNTED") == "1"


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
