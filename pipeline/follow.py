"""Follow the registry: whatever becomes the champion there, in MLflow's page or by any client, is served.

It looks at the alias twice a second, and where that names another version than the served files do, it
writes files and record as `python -m pipeline.promote --sync` does. `make run` and `docker compose up`
start it.
"""

# Why it is so: docs/decisions/champion.md
from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable

from mlflow import MlflowClient

from digits.errors import ModelError
from pipeline.project.paths import database
from pipeline.project.runner import end_with_parent
from pipeline.registry import versions
from pipeline.registry.access import in_short, open_registry
from pipeline.registry.promotion import is_served, sync

INTERVAL = 0.5  # seconds; a service looks at its files as often, and both together have to take less than two
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}  # we ask again anyway

Identity = tuple[int, int] | None  # device and inode of the project's database


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.follow", description=__doc__).parse_args()
    end_with_parent()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_DFL)  # at once: a kill leaves a whole champion at any moment
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    follow(say=lambda sentence: print(f"follower: {sentence}", flush=True))
    return 0


def follow(say: Callable[[str], None]) -> None:
    """Look for ever. A trouble is said once, and once more that it is over."""
    opened: tuple[MlflowClient, Identity] | None = None
    trouble = ""
    while True:
        try:
            if opened is None:
                identity = database_identity()
                opened = open_registry(), identity
                sync(opened[0], by="follower")  # what was changed, or left undone, before this began
            client, identity = opened
            if database_identity() != identity:  # MLflow would go on with the one that was deleted
                os.execv(sys.executable, [sys.executable, "-m", "pipeline.follow"])
            if served := look(client):
                say(f"version {served} is served now: the alias names it")
            elif trouble:
                say("goes on")
            trouble = ""
        except Exception as error:  # of MLflow, its database or the disk: whatever it is, it may pass
            if in_short(error) != trouble:
                trouble = in_short(error)
                say(trouble)
        time.sleep(INTERVAL)


def look(client: MlflowClient) -> str:
    """The version that carries the alias, where it was not served and is now; else "".

    Raises `ModelError` where no version carries it, or its files are gone: what is served stays.
    """
    present = versions.champion_version(client)
    if present is None:
        raise ModelError("No version is the champion: what is served stays.")
    served = None if is_served(present) else sync(client, by="follower")
    return served.version if served else ""


def database_identity() -> Identity:
    """Which file the project's database is: another one after it was deleted and made anew."""
    try:
        found = database().stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


if __name__ == "__main__":
    sys.exit(main())
