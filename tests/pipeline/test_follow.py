"""The follower as a process: it serves the registry's champion in spite of failures."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from digits.network.model import MANIFEST, Manifest
from digits.reader import DEFAULT_MODEL
from pipeline.project.paths import champion, database
from pipeline.registry import history, promotion, runs, versions
from tests.pipeline.conftest import EXAMPLE
from tests.service.conftest import serving

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "pipeline.follow"]
Registered = Callable[..., tuple[MlflowClient, str]]


class Follower:
    """A follower of the test's project, with its output."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            COMMAND, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def kill(self) -> None:
        """End the process if it is still running; then `said` has all its output."""
        self.process.kill()
        self.process.wait(10)
        self._listening.join(10)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            self.said.extend(self.process.stdout)

    def has_said(self, text: str) -> Callable[[], bool]:
        return lambda: any(text in line for line in self.said)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""}


@contextmanager
def following() -> Iterator[Follower]:
    follower = Follower()
    try:
        yield follower
    finally:
        follower.kill()


def until(check: Callable[[], bool], seconds: float) -> float:
    """Return the seconds until the check succeeds; fails after the timeout."""
    began = time.monotonic()
    while not check():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


def is_served(version: str) -> Callable[[], bool]:
    """Whether the served files are of this version; they may not be there yet."""
    path = champion() / MANIFEST
    return lambda: path.exists() and Manifest.load(champion()).version == version


def move_alias(client: MlflowClient, version: str) -> None:
    """Move the alias as MLflow's UI does, without this project's code."""
    client.set_registered_model_alias("digits", versions.CHAMPION, version)


def registered_default() -> str:
    """Register a version with the default model, which a service can load."""
    with runs.training_run({"seed": 0}) as run_id:
        folder = shutil.copytree(DEFAULT_MODEL, "models/candidate", dirs_exist_ok=True)
        manifest = replace(Manifest.load(Path(folder)), run_id=run_id)
        Path(folder, "manifest.json").write_text(json.dumps(manifest.as_dict()), encoding="utf-8")
    with runs.reopened_run(run_id, {}) as (client, _):
        return versions.register(client, run_id, Path(folder), {}, EXAMPLE)


def test_alias_moved_in_the_registry_is_answered_by_a_running_service_in_two_seconds(
    project: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        registered_default()
    client = runs.connect()
    promotion.promote(client, "1", "a test", "test")
    with serving(project / "models" / "champion", tmp_path / "home") as server, following():

        def answers(version: str) -> Callable[[], bool]:
            return lambda: bool(server.get("/model").json()["version"] == version)

        until(answers("1"), 30)
        move_alias(client, "2")
        until(answers("2"), 60)  # by then the follower has started
        for version in ("1", "2", "1"):
            move_alias(client, version)
            assert until(answers(version), 10) < 2
    last = history.changes(client)[-1]
    assert (last.before, last.version, last.by, last.kind) == ("2", "1", "follower", history.MOVE)


@pytest.mark.heavy
def test_follower_waits_for_a_registry_and_goes_on_after_troubles(
    project: Path, registered: Registered
) -> None:
    for favourite in (1, 2, 3):
        client, _ = registered(favourite)
    away = database().rename(project / "away.db")
    with following() as follower:
        until(follower.has_said("mlflow.db is missing, but "), 60)
        assert not database().exists()
        away.rename(database())
        until(follower.has_said("There is no champion"), 30)
        move_alias(client, "1")
        until(is_served("1"), 10)
        until(follower.has_said("version 1 is the champion in the registry and is served now"), 2)

        run_id = client.get_model_version("digits", "2").run_id
        files = next((project / "mlruns").rglob(f"{run_id}/artifacts/candidate"))
        hidden = files.rename(files.with_name("hidden"))
        move_alias(client, "2")
        until(follower.has_said("There is no model in"), 10)
        time.sleep(1.5)
        assert is_served("1")()
        hidden.rename(files)
        until(is_served("2"), 5)

        with closing(sqlite3.connect(database())) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(2)
        move_alias(client, "3")
        until(is_served("3"), 5)
        assert len([line for line in follower.said if "There is no model in" in line]) == 1
        assert follower.process.poll() is None


@pytest.mark.heavy
def test_follower_takes_up_a_registry_that_was_made_anew(project: Path, registered: Registered) -> None:
    client, _ = registered(1)
    registered(2)
    shutil.copy2(database(), project / "another.db")
    promotion.promote(client, "1", "a test", "test")
    with following() as follower:
        move_alias(client, "2")
        until(is_served("2"), 60)
        (project / "another.db").replace(database())  # without a champion
        until(follower.has_said("There is no champion"), 60)
        assert is_served("2")()


def test_follower_records_what_a_killed_promotion_left(registered: Registered) -> None:
    client, _ = registered(1)
    change = history.Change(history.now(), "", "1", "killed", "promote", history.PROMOTION)
    history.begin(client, change)
    move_alias(client, "1")
    with following():
        until(lambda: bool(history.changes(client)), 60)
    assert history.changes(client) == [change]
    assert is_served("1")()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_follower_ends_at_once(ending: signal.Signals, registered: Registered) -> None:
    client, _ = registered(1)
    with following() as follower:
        move_alias(client, "1")
        until(is_served("1"), 60)
        follower.process.send_signal(ending)
        began = time.monotonic()
        assert follower.process.wait(10) == -ending
        assert time.monotonic() - began < 0.5
    assert (
        follower.said == ["follower: version 1 is the champion in the registry and is served now\n"]
        or not follower.said
    )


@pytest.mark.usefixtures("project")
def test_follower_ends_with_its_parent() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time; print(subprocess.Popen(sys.argv[1:]).pid, flush=True);"
            "time.sleep(120)",
            *COMMAND,
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        follower = psutil.Process(int(parent.stdout.readline()))
        assert "There is no champion" in parent.stdout.readline()  # now the follower watches its parent
        parent.kill()
        parent.stdout.read()  # ends when the last process that writes to the pipe has exited
    until(lambda: not follower.is_running() or follower.status() == psutil.STATUS_ZOMBIE, 5)
