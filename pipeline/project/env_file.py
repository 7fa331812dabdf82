"""What `.env` says of a team's MLflow and data: the file that `docker compose` reads, in the same words.

The environment goes first, so `MLFLOW_TRACKING_URI= make repro` works with this machine's own store. No other
setting is taken from there: ports and users in it are those of containers.
"""

# Why it is so: docs/decisions/team.md
from __future__ import annotations

import os

from dotenv import dotenv_values

from pipeline.project.paths import root

SERVER = "MLFLOW_TRACKING_"  # how all names begin that lead to MLflow's server: address, user, password


def env_file() -> dict[str, str]:
    """The settings of `.env` that are not empty; none without that file."""
    return {name: value for name, value in dotenv_values(root() / ".env").items() if value}


def tracking_uri() -> str:
    """The address of the team's MLflow, "" for the project's own store.

    What belongs to it, as the password, is in the environment then, where MLflow looks for it.
    """
    if "MLFLOW_TRACKING_URI" not in os.environ:
        for name, value in env_file().items():
            if name.startswith(SERVER):
                os.environ.setdefault(name, value)
    return os.environ.get("MLFLOW_TRACKING_URI", "")
