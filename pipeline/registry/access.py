"""The registry as commands that change or show the champion open it, and how they say what went wrong."""

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
    """The project's registry; raises `ModelError` where there is none, and makes none.

    Raises `StoreError` where a team's server cannot be used, `RegistryError` where the project's own database
    cannot.
    """
    if not server.is_elsewhere():
        if database().exists() or damage.is_lost():
            damage.require_whole()
        if not is_set_up():
            raise ModelError(
                f"There is no registry ({database()}): `make repro` trains a model and makes one."
            )
    return runs.connect()


def command(work: Callable[[], None]) -> int:
    """Do the work of a command and give its exit code: 1 where it failed, which is said on stderr."""
    try:
        with damage.in_a_sentence():
            work()
    except (ModelError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def in_short(error: Exception) -> str:
    """What an error says to a person: of others than ours, which carry SQL and links, a sentence."""
    return str(error) if isinstance(error, ModelError | PipelineError) else damage.sentence(error)
