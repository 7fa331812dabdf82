"""A search on a real cluster of two nodes: as on one machine, and nothing is lost by a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna.trial import TrialState

from pipeline.registry import runs
from tests.cluster.nodes import TwoNodes
from tests.ports import free_port
from tests.small_search import ROOT, search_and_trials, the_study, write_small_search

pytest.importorskip("ray", reason="`make team` installs Ray")

pytestmark = [  # raised inside MLflow and SQLAlchemy
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning", "ignore::ResourceWarning"),
]

ALL_CORES = str(os.cpu_count())  # with as many local jobs, each has one thread, like a node of one core
LONG = ["--trials", "2", "--epochs", "60"]


@pytest.fixture
def searching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with small data, which becomes the current folder."""
    write_small_search(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(nodes: TwoNodes, *arguments: str) -> subprocess.Popen[str]:
    """Start a search on the cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.search", "--cluster", nodes.address, *arguments],
        env=os.environ | nodes.variables | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(search: subprocess.Popen[str]) -> str:
    """The output of the search, which must succeed."""
    with search:
        said = search.communicate(timeout=300)[0]
    assert search.returncode == 0, said
    return said


def curve(client: MlflowClient, run: Run) -> list[float]:
    return [point.value for point in client.get_metric_history(run.info.run_id, "validation/loss")]


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until
        time.sleep(0.5)


def both_train(client: MlflowClient) -> bool:
    """Whether two running trials have finished an epoch."""
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    running = client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'")
    return sum("validation/loss" in run.data.metrics for run in running) == 2


def states() -> list[TrialState]:
    return sorted(one.state for one in the_study().trials)


@pytest.mark.heavy
def test_search_uses_both_nodes_and_trains_as_one_machine_does(searching: Path, two_nodes: TwoNodes) -> None:
    said = finish(begin(two_nodes, "--trials", "3"))
    assert "2 trials at a time, each with 1 of 2 cores" in said
    assert states() == [TrialState.COMPLETE] * 3
    client = runs.connect()
    parent, trials = search_and_trials(client)
    assert (parent.info.status, parent.data.tags["mlflow.runName"]) == ("FINISHED", "search")
    assert [run.info.status for run in trials] == ["FINISHED"] * 3
    assert {run.data.tags["mlflow.runName"] for run in trials} == {"trial 0", "trial 1", "trial 2"}
    assert len({run.data.tags[runs.NODE] for run in trials}) == 2
    assert all(len(curve(client, run)) == 2 for run in trials)
    assert (searching / "profiles" / "found.yaml").exists()

    first = next(run for run in trials if run.data.tags["mlflow.runName"] == "trial 0")
    trained_there = curve(client, first)
    with pytest.MonkeyPatch.context() as patch:
        here = searching / "here"
        here.mkdir()
        write_small_search(here)
        patch.setenv("DVC_ROOT", str(here))
        patch.setenv("MLFLOW_TRACKING_URI", "")
        patch.chdir(here)
        local = [sys.executable, "-m", "pipeline.search", "--jobs", ALL_CORES, "--trials", "1"]
        subprocess.run(local, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=200)
        client = runs.connect()
        (alone,) = search_and_trials(client)[1]
        assert curve(client, alone) == trained_there
        assert alone.data.params == first.data.params


@pytest.mark.heavy
@pytest.mark.usefixtures("searching")
def test_search_goes_on_after_a_kill(two_nodes: TwoNodes) -> None:
    client = runs.connect()
    with begin(two_nodes, *LONG) as search:
        wait_for(lambda: both_train(client))
        search.kill()
    said = finish(begin(two_nodes, *LONG))
    assert said.count("was interrupted and will be repeated") == 2
    assert states() == [TrialState.COMPLETE] * 2 + [TrialState.FAIL] * 2
    assert [run.info.status for run in search_and_trials(client)[1]] == ["KILLED"] * 2 + ["FINISHED"] * 2


@pytest.mark.heavy
@pytest.mark.usefixtures("searching")
def test_search_stops_at_once(two_nodes: TwoNodes) -> None:
    client = runs.connect()
    with begin(two_nodes, *LONG) as search:
        wait_for(lambda: both_train(client))
        search.send_signal(signal.SIGINT)
        said = search.communicate(timeout=20)[0]
    assert (search.returncode, said.splitlines()[-1]) == (130, "search: stopped"), said
    parent, trials = search_and_trials(client)
    assert [run.info.status for run in (parent, *trials)] == ["KILLED"] * 3


@pytest.mark.heavy
@pytest.mark.usefixtures("searching")
def test_search_trains_the_trial_of_a_killed_node_again(two_nodes: TwoNodes) -> None:
    client = runs.connect()
    search = begin(two_nodes, *LONG)
    wait_for(lambda: both_train(client))
    try:
        two_nodes.lose()
        said = finish(search)
    finally:
        two_nodes.add()
    assert said.count("was interrupted and will be repeated") == 1
    assert states() == [TrialState.COMPLETE] * 2 + [TrialState.FAIL]
    lost, *again = [one for one in the_study().trials if one.state != TrialState.COMPLETE or one.number == 2]
    assert [one.params for one in again] == [lost.params]
    assert sorted(run.info.status for run in search_and_trials(client)[1]) == [
        "FINISHED",
        "FINISHED",
        "KILLED",
    ]


@pytest.mark.usefixtures("searching")
@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"127.0.0.1:{free_port()}", id="nobody listens"),
        pytest.param("ray://127.0.0.1:10001", marks=pytest.mark.heavy),
        pytest.param("nowhere", marks=pytest.mark.heavy),
    ],
)
def test_search_says_where_no_cluster_is(address: str) -> None:
    command = [sys.executable, "-m", "pipeline.search", "--cluster", address]
    began = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert address in done.stderr
    assert time.monotonic() - began < 45  # most of it imports
