"""Reproducing a run, with fast fake stages and once (heavy) with the real ones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
import pytest
from mlflow import MlflowClient

from pipeline import reproduce
from pipeline.project.errors import ReproduceError
from pipeline.project.paths import ACCEPTED, ACCEPTED_POINTER
from pipeline.registry import runs, versions
from pipeline.reproduction import comparison, worktree
from pipeline.reproduction.recorded import Recorded, weights_sha256
from tests.conftest import SMALL, copy_project, repro

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
    pytest.mark.skipif(shutil.which("git") is None, reason="SKIPPED: needs git"),
]

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {
    "seed": 7,
    "network": {"blocks": [[4]], "batch_norm": True},
    "optimizer": {"name": "adam"},
    "rate": 1e-05,
}
FIGURES = {"test_accuracy": 0.75, "validation_accuracy": 0.5}
STAGES = {
    "fetch": "import os\nprint('MNIST_DIR', os.environ.get('MNIST_DIR'), flush=True)",
    "preprocess": "import pathlib\nassert pathlib.Path.cwd().parent.name == 'reproduce'",
    "train": """
import json, os, pathlib, shutil, sys, time
from ruamel.yaml import YAML
train = YAML(typ="safe").load(open("params.yaml"))["train"]
assert train.pop("resume") is False
assert train == json.load(open("expected.json")), train
print("trains", flush=True)
time.sleep(float(os.environ.get("SLOW", 0)))
pathlib.Path("models/candidate").mkdir(parents=True)
pathlib.Path("mlruns").mkdir()
shutil.copy2(os.environ["EMPTY_STORE"], "mlruns/mlflow.db")
""",
    "evaluate": """
import json, os, pathlib, shutil, sys, numpy
sys.path[:0] = [os.environ["REAL"]]
sys.modules.pop("pipeline", None)
from pipeline.registry import runs, versions
figures = json.load(open("figures.json"))
with runs.training_run({"seed": 7}) as run_id:
    pass
folder = pathlib.Path("models/candidate")
shutil.copytree(os.environ["MODEL"], folder, dirs_exist_ok=True)
manifest = json.loads((folder / "manifest.json").read_text())
(folder / "manifest.json").write_text(json.dumps(manifest | {"run_id": run_id}))
with runs.reopened_run(run_id, {}) as (client, _):
    versions.register(client, run_id, folder, {}, numpy.zeros((1, 28, 28), numpy.uint8))
    runs.log_evaluation(figures, pathlib.Path("reports"))
""",
}


@pytest.mark.heavy
def test_accepted_feedback_comes_from_the_cache_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, folder = tmp_path / "own", tmp_path / "worktree"
    for place in (own, folder):
        place.mkdir()
        subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=place, check=True)
    pictures = own / ACCEPTED
    pictures.mkdir(parents=True)
    (pictures / "a.png").write_bytes(b"a")
    subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", str(ACCEPTED)], cwd=own, check=True)
    (folder / ACCEPTED).parent.mkdir(parents=True)
    shutil.copy2(own / ACCEPTED_POINTER, folder / ACCEPTED_POINTER)
    monkeypatch.chdir(own)
    worktree.bring_data(folder)
    assert (folder / ACCEPTED / "a.png").read_bytes() == b"a"
    shutil.rmtree(own / ".dvc" / "cache")
    shutil.rmtree(folder / ACCEPTED)
    with pytest.raises(ReproduceError, match="neither in DVC's cache nor in its remote"):
        worktree.bring_data(folder)


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(project: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with fast fake stages, whose metrics are in a committed file."""
    (project / "pipeline").mkdir()
    (project / "pipeline" / "__init__.py").touch()
    for name, code in STAGES.items():
        (project / "pipeline" / f"{name}.py").write_text(code)
    (project / "expected.json").write_text(json.dumps(PARAMS))
    (project / "figures.json").write_text(json.dumps(FIGURES))
    (project / "params.yaml").write_text("fetch: {sha256: {}}\ntrain: {seed: 1, resume: true}\n")
    (project / ".gitignore").write_text("/build/\n/mlruns/\n/models/\n/reports/\n__pycache__\n")
    (project / "reports").mkdir()
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "A project")
    for name, value in {
        "REAL": ROOT,
        "MODEL": ROOT / "digits" / "default",
        "EMPTY_STORE": empty_store,
        "MNIST_DIR": SMALL,
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(reproduce, "end_with_parent", lambda: None)
    return project


def record(project: Path, figures: dict[str, Any] = FIGURES) -> str:
    """Record a run as train and evaluate do, with the model that the fake stages make."""
    with runs.training_run(PARAMS | {"resume": True}) as run_id:
        folder = shutil.copytree(ROOT / "digits" / "default", project / "models" / run_id)
    with runs.reopened_run(run_id, {}) as (client, _):
        versions.register(client, run_id, folder, {}, np.zeros((1, 28, 28), np.uint8))
        runs.log_evaluation(figures, project / "reports")
    return run_id


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command; returns exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["reproduce", *arguments])
        monkeypatch.setattr(reproduce, "end_with_parent", lambda: None)  # this process also runs other tests
        code = reproduce.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


Typed = Callable[..., tuple[int, str, str]]


def test_run_that_comes_out_the_same(checkout: Path, typed: Typed) -> None:
    run_id = record(checkout)
    before = {path: path.read_bytes() for path in (checkout / "mlruns").rglob("*") if path.is_file()}
    code, said, error = typed(run_id[:6])
    assert (code, error) == (0, "")
    assert "all 2 metrics are the same, and its weights are the same, bit for bit." in said
    assert [line.split() for line in said.splitlines() if line.startswith("test/accuracy")] == [
        ["test/accuracy", "0.75", "0.75", "yes"]
    ]
    assert "Why" not in said
    after = {path: path.read_bytes() for path in (checkout / "mlruns").rglob("*") if path.is_file()}
    assert after == before, "the store is untouched"
    assert git("worktree", "list").count("\n") == 0
    assert not (checkout / "build" / "reproduce" / run_id[:8]).exists()
    assert git("status", "--porcelain") == ""


@pytest.mark.heavy
def test_run_that_differs_says_what_and_why(checkout: Path, typed: Typed) -> None:
    run_id = record(checkout, FIGURES | {"test_accuracy": 0.875})
    client = MlflowClient()
    client.set_tag(run_id, runs.PROCESSOR, "Another, 64 cores")
    client.set_tag(run_id, runs.PACKAGES, "python 3.0.1, keras 1.0")
    client.set_tag(run_id, "mlflow.runName", "the one")
    code, said, _ = typed("the one", "--keep")
    assert code == 1
    assert "1 of 2 metrics differ, and its weights are the same" in said
    assert [line.split() for line in said.splitlines() if line.startswith("test/accuracy")] == [
        ["test/accuracy", "0.875", "0.75", "no"]
    ]
    told = " ".join(said.split())
    assert "Possible reason: different processor: Another, 64 cores then, " in told
    assert "Possible reason: different packages: " in told
    assert "keras 1.0 then, " in told
    kept = checkout / "build" / "reproduce" / run_id[:8]
    assert str(kept) in said.replace("\n", "")
    assert (kept / "models" / "candidate" / "manifest.json").is_file()


@pytest.mark.heavy  # some seconds each, as a stage imports MLflow
def test_code_that_was_not_committed_is_told(checkout: Path, typed: Typed) -> None:
    (checkout / "expected.json").write_text("{}")
    run_id = record(checkout, FIGURES | {"test_accuracy": 0.5})
    code, said, _ = typed(run_id)
    told = " ".join(said.split())
    assert code == 1
    assert "uncommitted changes (expected.json), which cannot be reproduced; the commit before" in told
    assert "Possible reason: different code: the run's code had uncommitted changes (expected.json)." in told


def test_changed_files_that_a_run_kept_are_no_other_code(checkout: Path) -> None:
    """After `make learn` two files differ from the commit, and both are restored."""
    (checkout / "params.yaml").write_text("train: {resume: true}\n")
    pointer = checkout / ACCEPTED_POINTER
    pointer.parent.mkdir(parents=True)
    (pointer.parent / ".gitkeep").touch()
    git("add", "data")
    git("commit", "--quiet", "--message", "A folder")
    pointer.write_text("outs: []\n")
    run_id = record(checkout)
    client = MlflowClient()
    learnt = Recorded.of(client, client.get_run(run_id))
    assert (learnt.commit, learnt.uncommitted, learnt.changed) == (git("rev-parse", "HEAD"), False, "")
    (checkout / "figures.json").write_text("{}")
    edited = Recorded.of(client, client.get_run(record(checkout)))
    assert (edited.uncommitted, edited.changed) == (True, "figures.json")


@pytest.mark.heavy
def test_inputs_are_those_of_the_run(checkout: Path, typed: Typed) -> None:
    """params.yaml was not committed, but all its sections are restored."""
    (checkout / "params.yaml").write_text("fetch: {sha256: {}}\ntrain: {resume: true}\nevaluate: {seed: 5}\n")
    run_id = record(checkout)
    git("checkout", "--quiet", "params.yaml")
    code, said, _ = typed(run_id, "--keep")
    assert code == 0
    assert "not committed" not in said
    written = (checkout / "build" / "reproduce" / run_id[:8] / "params.yaml").read_text()
    assert "evaluate: {seed: 5}" in written


def test_what_cannot_be_reproduced_is_said(
    checkout: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = record(checkout)
    other = record(checkout)
    client = MlflowClient()
    assert typed("unknown")[::2] == (
        2,
        "reproduce: There is no run 'unknown'. `make mlflow` shows all runs and their ids.\n",
    )
    for one in (run_id, other):
        client.set_tag(one, "mlflow.runName", "twice")
    assert "2 runs match 'twice': " in typed("twice")[2]
    client.set_tag(run_id, runs.COMMIT, "a" * 40)
    code, _, error = typed(run_id)
    assert code == 2
    assert error.startswith("reproduce: Commit aaaaaaaaaaaa is not in this repository. `git fetch` it")
    with runs.trial_run({"seed": 1}) as trial:
        mlflow.set_tag("mlflow.parentRunId", run_id)
    assert "is a search or one of its trials" in typed(trial)[2]
    with pytest.raises(KeyboardInterrupt), runs.training_run(PARAMS) as stopped:
        raise KeyboardInterrupt
    assert typed(stopped)[2] == f"reproduce: Run {stopped[:8]} is killed, so there is no result to compare.\n"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        assert "Git is not installed" in typed(run_id)[2]
    (checkout / "pipeline" / "train.py").write_text("raise SystemExit(3)")
    git("commit", "--quiet", "--all", "--message", "Fails")
    client.set_tag(other, runs.COMMIT, git("rev-parse", "HEAD"))
    code, _, error = typed(other)
    assert (code, error) == (2, "reproduce: The stage train failed at that commit. The reason is above.\n")
    assert git("worktree", "list").count("\n") == 0


@pytest.mark.heavy
def test_without_git_or_commit(checkout: Path, typed: Typed) -> None:
    run_id = record(checkout)
    MlflowClient().delete_tag(run_id, runs.COMMIT)
    code, said, _ = typed(run_id)
    assert code == 0
    assert "the run has no commit on record" in " ".join(said.split())
    shutil.rmtree(checkout / ".git")
    code, _, error = typed(run_id)
    assert code == 2
    assert "not a git checkout" in error


@pytest.mark.parametrize("ending", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.heavy)])
def test_interrupted_one_leaves_nothing(ending: signal.Signals, checkout: Path) -> None:
    run_id = record(checkout)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.reproduce", run_id],
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "MLFLOW_TRACKING_URI": "", "SLOW": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any(line == "trains\n" for line in process.stdout)
        process.send_signal(ending)
        began = time.monotonic()
        _, error = process.communicate(timeout=60)
        assert time.monotonic() - began < 30
    finally:
        process.kill()
    assert process.returncode == 130
    assert "reproduce: stopped" in error
    assert not (checkout / "build" / "reproduce" / run_id[:8]).exists()
    assert git("worktree", "list").count("\n") == 0


def recorded(**changes: Any) -> Recorded:
    values = {
        "run_id": "a" * 32,
        "name": "default",
        "params": {"bfloat16": "True"},
        "figures": {"test/accuracy": 0.5, "test/accuracy.low": 0.25},
        "data": {"train": "abc"},
        "weights": "f" * 64,
        "commit": "c" * 40,
        "uncommitted": False,
        "changed": "",
        "processor": "One, 2 cores",
        "packages": "python 3.11.9, keras 3.15.1",
        "evaluated": "",
    }
    return Recorded(**{**values, **changes})


def test_reasons_name_all_that_was_otherwise() -> None:
    again = recorded()
    assert comparison.same(recorded(), again)
    assert comparison.same(recorded(weights=""), again)
    assert not comparison.same(recorded(weights="0" * 64), again)
    assert not comparison.same(recorded(figures={"test/accuracy": 0.5}), again), "one has a figure more"
    for changes, reason in (
        ({"data": {"train": "xyz"}}, "different data: the hashes of train differ from the record"),
        ({"processor": "Two"}, "different processor: Two then, One, 2 cores now; training uses bfloat16"),
        ({"packages": "python 3.11.9, keras 3.0"}, "different packages: keras 3.0 then, 3.15.1 now"),
        ({"commit": ""}, "possibly different code: the run has no commit on record"),
        ({"evaluated": "d" * 40}, "its metrics were computed later by different code: commit dddddddddddd"),
        ({}, "the record does not explain it"),
    ):
        (told,) = comparison.reasons(recorded(**changes), again)
        assert told.startswith(reason)


def test_weights_are_compared_by_what_they_are_and_not_by_names(tmp_path: Path) -> None:
    network = onnx.load(ROOT / "digits" / "default" / "digits.onnx")
    tensors = list(network.graph.initializer)
    first = next(one for one in tensors if one.data_type == onnx.TensorProto.FLOAT)
    others = [one for one in tensors if one is not first]
    path = tmp_path / "digits.onnx"
    onnx.save(network, path)
    before = weights_sha256(path)
    values = onnx.numpy_helper.to_array(first)
    axes = onnx.numpy_helper.from_array(np.array([1, 2]), "axes")  # such a constant may be left by tf2onnx
    for moved, is_same in ((values, True), (values + 1, False)):
        del network.graph.initializer[:]
        network.graph.initializer.extend([*others, onnx.numpy_helper.from_array(moved, "another"), axes])
        onnx.save(network, path)
        assert (weights_sha256(path) == before) == is_same


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_real_run_comes_out_the_same(tmp_path: Path) -> None:
    """All four stages on the small subset, twice; weights and metrics are the same bit for bit."""
    copy_project(tmp_path)
    for name in (".gitignore", ".dvc/.gitignore", ".dvc/config"):
        shutil.copy2(ROOT / name, tmp_path / name)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "MNIST_DIR": str(SMALL),
        "MLFLOW_TRACKING_URI": "",
    }
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "A project")):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    done = repro(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    run_id = json.loads((tmp_path / "models" / "candidate" / "manifest.json").read_text())["run_id"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.reproduce", run_id],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "metrics are the same, and its weights are the same, bit for bit." in " ".join(done.stdout.split())
