"""Promotions that are killed leave a complete champion, and the next command finishes them."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pkgutil
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from digits.network.model import Model
from pipeline.project.paths import champion
from pipeline.registry import history, runs, versions
from pipeline.registry.promotion import promote, rollback, sync
from tests.pipeline.conftest import EXAMPLE

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]


def stand_in(project: Path) -> None:
    """Work in this project, because the fork server has the environment of the test that started it."""
    os.chdir(project)
    os.environ |= {"DVC_ROOT": str(project), "MLFLOW_TRACKING_URI": ""}


def promote_for_ever(project: Path, chosen: Sequence[str], begun: Event) -> None:
    """Make one version after another the champion, until the process is killed."""
    stand_in(project)
    client = runs.connect()
    begun.set()
    for version in itertools.cycle(chosen):
        promote(client, version, "a test", "test")


def forks() -> ForkServerContext:
    """A context for processes in which MLflow is imported but has not been used."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.registry.promotion"])
    return context


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.heavy)])
@pytest.mark.timeout(1200)
def test_promotion_that_is_killed_leaves_a_whole_champion(
    kills: int, project: Path, make_candidate: Callable[..., Path]
) -> None:
    chosen = []
    for favourite in (1, 2):
        with runs.training_run({"seed": favourite}) as run_id:
            candidate = make_candidate(favourite, run_id=run_id)
            chosen.append(versions.register(runs.connect(), run_id, candidate, {}, EXAMPLE))
    promote(runs.connect(), chosen[0], "a test", "test")

    random = np.random.default_rng(kills)
    context = forks()
    served = set()
    for _ in range(kills):
        begun = context.Event()
        process = context.Process(target=promote_for_ever, args=(project, chosen, begun))
        process.start()
        assert begun.wait(60)
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        process.join()
        manifest = Model.load(project / "models" / "champion").manifest
        served.add(manifest.version)
        assert manifest.version in chosen
    assert served == set(chosen) or kills < 10, "no process has promoted the other one"
    finished = sync(runs.connect())
    version = versions.champion_version(runs.connect())
    assert finished is not None
    assert version is not None
    assert finished.version == str(version.version) == history.changes(runs.connect())[-1].version
    left = {path.name for path in (project / "models" / "champion").iterdir()}
    assert len([name for name in left if name.endswith(".onnx")]) <= 2
    promote(runs.connect(), chosen[0], "a test", "test")
    assert not [path for path in (project / "models" / "champion").iterdir() if path.name.startswith(".")]


Registered = Callable[..., tuple[MlflowClient, str]]

MOMENTS = {  # where a process is killed, and whether the alias has moved by then
    "before anything": ("pipeline.registry.history.begin", False, False),
    "before the alias": ("mlflow.MlflowClient.set_registered_model_alias", False, False),
    "after the alias": ("mlflow.MlflowClient.set_registered_model_alias", True, True),
    "before the manifest": ("pipeline.registry.promotion.write_text", False, True),
    "before the record": ("pipeline.registry.history.append", False, True),
    "after the record": ("pipeline.registry.history.append", True, True),
}


def change_and_die(project: Path, kind: str, place: str, after: bool) -> None:
    """Promote version 3, or roll back, in a process that is killed at one point."""
    stand_in(project)
    with pytest.MonkeyPatch.context() as patch:
        client = runs.connect()
        original = pkgutil.resolve_name(place)

        def killed(*arguments: object) -> None:
            if after:
                original(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        patch.setattr(place, killed)
        if kind == history.ROLLBACK:
            rollback(client, "test")
        else:
            promote(client, "3", "a reason", "test")


@pytest.mark.parametrize("kind", [history.PROMOTION, history.ROLLBACK])
def test_change_killed_at_a_moment_is_whole_and_finished_by_sync(
    kind: str, project: Path, registered: Registered
) -> None:
    for favourite in (1, 2, 3):
        client, _ = registered(favourite)
    for place, after, moved in MOMENTS.values():
        for version in ("1", "2"):
            promote(client, version, "a test", "test")
        process = forks().Process(target=change_and_die, args=(project, kind, place, after))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, place
        new = {history.PROMOTION: "3", history.ROLLBACK: "1"}[kind]
        assert Model.load(champion()).manifest.version in ("2", new)
        finished = sync(client)
        assert finished is not None
        assert finished.version == (new if moved else "2"), place
        last = history.changes(client)[-1]
        assert (last.version, last.by) == (finished.version, "test")
        if moved:
            assert (last.before, last.kind) == ("2", kind), place


def promote_again_and_again(project: Path, version: str, times: int) -> None:
    stand_in(project)
    client = runs.connect()
    for _ in range(times):
        promote(client, version, "a race", version)


def test_promotions_at_once_agree_in_the_end(project: Path, registered: Registered) -> None:
    for favourite in (1, 2):
        client, _ = registered(favourite)
    work = [(project, version, 15) for version in ("1", "2")]
    racers = [forks().Process(target=promote_again_and_again, args=one) for one in work]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)
    assert [racer.exitcode for racer in racers] == [0, 0]
    alias = versions.champion_version(client)
    done = history.changes(client)
    assert alias is not None
    assert str(alias.version) == Model.load(champion()).manifest.version == done[-1].version
    assert all(later.before == earlier.version for earlier, later in itertools.pairwise(done))
    assert {change.by for change in done} == {"1", "2"}
    assert {change.kind for change in done} == {history.PROMOTION}
