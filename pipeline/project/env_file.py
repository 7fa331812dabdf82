"""Settings of a team's MLflow server and DVC remote from `.env`, the file that `docker compose` reads too.

Environment variables take precedence, so `MLFLOW_TRACKING_URI= make repro` uses this machine's own store.
Other settings in `.env` are ignored, because its ports and users are meant for the containers.
"""

# See docs/decisions/team.md.
from __future__ import annotations

import os

from dotenv import dotenv_values

from pipeline.project.paths import root

SERVER = "MLFLOW_TRACKING_"  # the prefix of the MLflow server's settings (address, user, password)


def env_file() -> dict[str, str]:
    """Return the settings of `.env` that are not empty; an empty dict if there is no such file."""
    return {name: value for name, value in dotenv_values(root() / ".env").items() if value}


def tracking_uri() -> str:
    """Return the address of the team's MLflow server, or "" for the project's own store.

    If the address comes from `.env`, its user and password are also put into the environment for MLflow.
    """
    if "MLFLOW_TRACKING_URI" not in os.environ:
        for name, value in env_file().items():
            if name.startswith(SERVER):
                os.environ.setdefault(name, value)
    return os.environ.get("MLFLOW_TRACKING_URI", "")
