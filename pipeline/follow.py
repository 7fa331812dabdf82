"""Follow the registry: serve each new champion, whether it was changed in MLflow's UI or by any client.

The follower checks the alias twice a second. If the alias names another version than the served files, it
updates the files and the history like `python -m pipeline.promote --sync`. `make run` and `docker compose up`
start it.
"""

# See docs/decisions/champion.md.
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

INTERVAL = 0.5  # seconds; the service checks its files as often, and in total this must take less than two
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}  # the follower retries anyway

Identity = tuple[int, int] | None  # device and inode of the project's database


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.follow", description=__doc__).parse_args()
    end_with_parent()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_DFL)  # end immediately; files are replaced atomically
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    follow(say=lambda sentence: print(f"follower: {sentence}", flush=True))
    return 0


def follow(say: Callable[[str], None]) -> None:
    """Check the alias in an endless loop; `say` is called once for a problem and once when it is over."""
    opened: tuple[MlflowClient, Identity] | None = None
    trouble = ""
    while True:
        try:
            if opened is None:
                identity = database_identity()
                opened = open_registry(), identity
                sync(opened[0], by="follower")  # catches up with changes before the follower started
            client, identity = opened
            if database_identity() != identity:  # MLflow would continue to use the deleted database
                os.execv(sys.executable, [sys.executable, "-m", "pipeline.follow"])
            if served := look(client):
                say(f"version {served} is the champion in the registry and is served now")
            elif trouble:
                say("the problem is over")
            trouble = ""
        except Exception as error:  # from MLflow, its database or the disk; any of them may be temporary
            if in_short(error) != trouble:
                trouble = in_short(error)
                say(trouble)
        time.sleep(INTERVAL)


def look(client: MlflowClient) -> str:
    """Serve the version with the alias; return it if it was not served before, else "".

    Raises `ModelError` if there is no champion or its files are missing. The served model then stays.
    """
    present = versions.champion_version(client)
    if present is None:
        raise ModelError("There is no champion. The served model stays.")
    served = None if is_served(present) else sync(client, by="follower")
    return served.version if served else ""


def database_identity() -> Identity:
    """Return the identity of the database file, which changes if it is deleted and created again."""
    try:
        found = database().stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


if __name__ == "__main__":
    sys.exit(main())
