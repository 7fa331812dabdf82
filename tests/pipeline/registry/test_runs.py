"""Runs: what they log, how they end, and how they are reopened."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.mnist.dataset import Digits
from pipeline.registry import runs, versions
from tests.pipeline.conftest import EXAMPLE

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

PARAMS: dict[str, Any] = {"seed": 7, "network": {"blocks": [[4]], "batch_norm": True}}


def test_training_run_holds_params_and_curves_while_it_trains(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "wet-pony")
    with runs.training_run(PARAMS | {"resume": True}) as run_id:
        runs.log_epoch({"loss": 0.5, "val_accuracy": 0.75}, 1)
        now = MlflowClient().get_run(run_id)
        assert now.info.status == "RUNNING"
        assert now.data.metrics == {"train/loss": 0.5, "validation/accuracy": 0.75}
        runs.log_epoch({"loss": 0.25}, 2)
    run = MlflowClient().get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "7", "network.blocks": "[[4]]", "network.batch_norm": "True"}
    assert run.data.tags["dvc_exp_name"] == "wet-pony"
    assert "seed" not in run.data.tags, "a parameter is no tag too"
    assert [(m.step, m.value) for m in MlflowClient().get_metric_history(run_id, "train/loss")] == [
        (1, 0.5),
        (2, 0.25),
    ]
    assert run.info.artifact_uri.startswith((project / "mlruns" / "artifacts").as_uri())


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("raised", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED"), (SystemExit, "KILLED")]
)
def test_training_run_tells_how_it_ended(raised: type[BaseException], status: str) -> None:
    with pytest.raises(raised), runs.training_run(PARAMS) as run_id:
        raise raised
    assert MlflowClient().get_run(run_id).info.status == status


@pytest.mark.usefixtures("project")
def test_reopened_run_is_the_same_one() -> None:
    with runs.training_run(PARAMS) as begun:
        pass
    with runs.reopened_run(begun, {"seed": 8}) as (client, reopened):
        assert client.get_run(reopened).info.status == "RUNNING"
    run = MlflowClient().get_run(begun)
    assert (reopened, run.info.status, run.data.params["seed"]) == (begun, "FINISHED", "7")


@pytest.mark.usefixtures("project")
def test_training_run_is_named_after_what_is_special_about_it(project: Path) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "default.yaml").write_text("network:\n  blocks: [[4]]\n  batch_norm: true\n")
    names = []
    for params in (PARAMS, PARAMS, PARAMS | {"seed": 1}):
        with runs.training_run(params) as run_id:
            names.append(MlflowClient().get_run(run_id).info.run_name)
    assert names == ["default, seed 7", "default, seed 7 (2)", "default"]


@pytest.mark.usefixtures("project")
def test_reopened_run_keeps_its_duration_however_that_ends() -> None:
    with runs.training_run(PARAMS) as begun:
        pass
    MlflowClient().set_terminated(begun, "FINISHED", 1)  # long ago
    with runs.reopened_run(begun, PARAMS):
        pass
    again = MlflowClient().get_run(begun).info
    assert (again.status, again.end_time) == ("FINISHED", 1)
    with pytest.raises(ValueError, match="wrong"), runs.reopened_run(begun, PARAMS):
        raise ValueError("wrong")
    failed = MlflowClient().get_run(begun).info
    assert (failed.status, failed.end_time) == ("FAILED", 1)


@pytest.mark.usefixtures("project")
def test_reopened_run_that_goes_on_ends_later() -> None:
    with runs.training_run(PARAMS) as begun:
        pass
    MlflowClient().set_terminated(begun, "FINISHED", 1)
    with runs.reopened_run(begun, PARAMS, goes_on=True):
        pass
    assert (MlflowClient().get_run(begun).info.end_time or 0) > 1


@pytest.mark.usefixtures("project")
def test_reopened_run_that_the_store_does_not_know() -> None:
    with runs.reopened_run("0" * 32, PARAMS) as (client, run_id):
        pass
    assert run_id != "0" * 32
    assert client.get_run(run_id).data.params["network.blocks"] == "[[4]]"


@pytest.mark.usefixtures("project")
def test_reopened_run_mlflow_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_run(*_: object) -> None:
        raise MlflowException("disk I/O error")

    monkeypatch.setattr(MlflowClient, "get_run", get_run)
    with pytest.raises(MlflowException, match="disk"), runs.reopened_run("0" * 32, PARAMS):
        pass
    assert not runs.connect().search_runs(["0", "1"])


def test_log_evaluation_logs_only_what_the_pipeline_reports(project: Path) -> None:
    reports = project / "reports"
    (reports / "mine").mkdir(parents=True)
    for name in ("metrics.json", "confusion.png", "notes.txt", "mine/metrics.json"):
        (reports / name).write_text("{}")
    with runs.training_run(PARAMS) as run_id:
        runs.log_evaluation({"loss": 0.5}, reports)
    (artifacts,) = (project / "mlruns").rglob(f"{run_id}/artifacts")
    files = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file()}
    assert files == {"evaluation/metrics.json", "confusion.png"}


def test_log_evaluation_tells_run_and_model_on_their_data_sets(
    project: Path, make_candidate: Callable[..., Path]
) -> None:
    figures = {
        "validation_accuracy": 0.5,
        "test_accuracy": 0.25,
        "recall": {"3": 0.75},
        "intervals": {"recall.3": [0.5, 1.0]},
        "parameters": 12.0,
        "train_seconds": 3.5,
        "champion": True,
    }
    with runs.training_run(PARAMS) as begun:
        runs.log_data({"validation": _digits(3)})
    with runs.reopened_run(begun, PARAMS) as (client, run_id):
        versions.register(client, run_id, make_candidate(run_id=run_id), {}, EXAMPLE)
        runs.log_data({"test": _digits(2)})
        runs.log_evaluation(figures, project)
    run = client.get_run(begun)
    of_test = {"test/accuracy": 0.25, "recall/3": 0.75, "recall/3.low": 0.5, "recall/3.high": 1.0}
    of_validation = {"score/digits": 0.5}
    assert run.data.metrics == of_test | of_validation | {"train/seconds": 3.5}
    assert run.data.tags["weights"] == "12"
    assert data_sets(run) == ["test", "validation"]
    assert run.outputs is not None
    (output,) = run.outputs.model_outputs
    told = client.get_logged_model(output.model_id).metrics or []
    assert {one.key: one.value for one in told if one.dataset_name == "test"} == of_test
    assert {one.key: one.value for one in told if one.dataset_name == "validation"} == of_validation
    with runs.reopened_run(begun, PARAMS):  # evaluated again
        runs.log_data({"test": _digits(2)})
        runs.log_evaluation(figures | {"test_accuracy": 0.5}, project)
    assert client.get_run(begun).data.metrics["test/accuracy"] == 0.5
    assert data_sets(client.get_run(begun)) == ["test", "validation"]


def data_sets(run: Run) -> list[str]:
    assert run.inputs is not None
    return sorted(one.dataset.name for one in run.inputs.dataset_inputs)


def _digits(count: int) -> Digits:
    return Digits(np.zeros((count, 28, 28), np.uint8), np.arange(count, dtype=np.uint8))


def _leave_running(process: str) -> str:
    """Create a run of a process and leave it running; returns its id."""
    client = runs.connect()
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    run = client.create_run(experiment.experiment_id, tags={runs.PROCESS: process})
    return str(run.info.run_id)


@pytest.mark.usefixtures("project")
def test_connect_marks_runs_of_dead_processes_as_killed() -> None:
    alive = runs._name(psutil.Process())
    host, pid, began = alive.split()
    left = {
        "alive": _leave_running(alive),
        "reused number": _leave_running(f"{host} {pid} {int(began) - 100}"),
        "gone": _leave_running(f"{host} 4194304 {began}"),
        "another machine": _leave_running(f"elsewhere 4194304 {began}"),
    }
    client = runs.connect()
    status = {name: client.get_run(run_id).info.status for name, run_id in left.items()}
    assert status == {
        "alive": "RUNNING",
        "reused number": "KILLED",
        "gone": "KILLED",
        "another machine": "RUNNING",
    }


@pytest.mark.usefixtures("project")
def test_log_data_names_and_hashes() -> None:
    digits = _digits(3)
    with runs.training_run(PARAMS) as run_id:
        runs.log_data({"train": digits})
    inputs = MlflowClient().get_run(run_id).inputs
    assert inputs is not None
    (logged,) = inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("train", digits.sha256()[:16])


def test_git_tags_outside_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert runs.git_tags() == {}


def test_git_tags_dirty_only_for_what_dvc_does_not_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("a: 1\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], check=True)
    (tmp_path / "dvc.lock").write_text("written by dvc")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "metrics.json").write_text("{}")
    clean = runs.git_tags()["git_commit"]
    inside = tmp_path / "unpacked archive"
    inside.mkdir()
    (inside / "mine").touch()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(inside)
        assert runs.git_tags() == {}
    (tmp_path / "params.yaml").write_text("a: 2\n")
    assert len(clean) == 40
    assert runs.git_tags() == {
        "git_commit": f"{clean}-dirty",
        "git_changed": '"unpacked archive/", params.yaml',
    }


def test_lock_tags_follow_the_train_stage_alone(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    assert runs.lock_tags(lock) == {}
    lock.write_text("stages:\n  evaluate: {cmd: a}\n")
    assert runs.lock_tags(lock) == {}
    lock.write_text("stages:\n  train: {cmd: a}\n  evaluate: {cmd: a}\n")
    first = runs.lock_tags(lock)
    lock.write_text("stages:\n  train: {cmd: a}\n  evaluate: {cmd: b}\n")
    assert runs.lock_tags(lock) == first
    lock.write_text("stages:\n  train: {cmd: b}\n")
    assert runs.lock_tags(lock) != first
