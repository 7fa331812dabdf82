"""Open the registry and report errors, for the commands that change or show the champion."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mlflow import MlflowClient

from digits.errors import ModelError
from pipeline.project.errors import PipelineError
from pipeline.project.paths import database
from pipeline.registry import damage, runs, server
from pipeline.registry.relocation import is_set_up


def open_registry() -> MlflowClient:
    """Open the project's registry; raises `ModelError` if there is none, and does not create one.

    Raises `StoreError` if a team's server cannot be used, and `RegistryError` if the project's own database
    cannot.
    """
    if not server.is_elsewhere():
        if database().exists() or damage.is_lost():
            damage.require_whole()
        if not is_set_up():
            raise ModelError(
                f"There is no registry ({database()}). `make repro` trains a model and creates one."
            )
    return runs.connect()


def command(work: Callable[[], None]) -> int:
    """Run a command and return its exit code, which is 1 after a failure that is reported on stderr."""
    try:
        with damage.as_registry_error():
            work()
    except (ModelError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def in_short(error: Exception) -> str:
    """Return an error's message; third-party errors, which have SQL and links, become one sentence."""
    return str(error) if isinstance(error, ModelError | PipelineError) else damage.sentence(error)
