"""The four real stages, run by `dvc repro` on the small subset of real digits."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from digits.network.model import Manifest, Model
from digits.reader import Reader
from pipeline.mnist.dataset import Digits
from service.runtime.champion import Champion

pytestmark = pytest.mark.timeout(900)  # three more trainings, small ones, each in new processes

REPORTED = {
    "validation_accuracy",
    "validation_canvas_accuracy",
    "test_accuracy",
    "test_loss",
    "test_errors",
    "canvas_accuracy",
    "expected_calibration_error",
    "parameters",
    "train_seconds",
    "epochs",
    "seed",
    "champion",
}


ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "mnist-small"
BIN = Path(sys.executable).parent


def _conftest() -> ModuleType:
    """Load tests/conftest.py, which has the fixture `small_project` and its helpers."""
    path = Path(__file__).resolve().parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("project_helpers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


repro: Callable[..., subprocess.CompletedProcess[str]] = _conftest().repro


def set_epochs(folder: Path, epochs: int) -> None:
    path = folder / "params.yaml"
    path.write_text(re.sub(r"(?m)^  epochs: \d+", f"  epochs: {epochs}", path.read_text()))


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as connection:
        return connection.execute(query).fetchall()


def champion_of(folder: Path) -> str:
    ((version,),) = rows(folder, "SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
    return str(version)


def test_repro_reports_and_promotes(small_project: Path) -> None:
    metrics = json.loads((small_project / "reports" / "metrics.json").read_text())
    assert metrics.keys() >= REPORTED
    assert metrics["champion"] is True
    assert metrics["test_accuracy"] >= 0.93
    assert metrics["canvas_accuracy"] >= 0.88
    manifest = Reader.load(small_project / "models" / "champion").model.manifest
    assert manifest.version == champion_of(small_project) == "1"
    assert manifest.metrics["test_accuracy"] == metrics["test_accuracy"]
    assert Manifest.load(small_project / "models" / "candidate").run_id == manifest.run_id
    champion = Champion(small_project / "models" / "champion")
    champion.refresh()
    assert champion.reader().model.manifest.version == "1", "the service takes it"


def test_repro_leaves_the_pictures(small_project: Path) -> None:
    for name in ("confusion", "mistakes", "reliability", "training", "samples"):
        assert (small_project / "reports" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_repro_leaves_a_whole_run(small_project: Path) -> None:
    ((run_id, status),) = rows(small_project, "SELECT run_uuid, status FROM runs")
    assert status == "FINISHED"
    params = dict(rows(small_project, "SELECT key, value FROM params"))
    trained = YAML(typ="safe").load((small_project / "params.yaml").read_text())["train"]
    assert params["epochs"] == str(trained["epochs"])
    assert params["network.blocks"] == str(trained["network"]["blocks"])
    query = "SELECT step FROM metrics WHERE key = 'validation/accuracy'"
    steps = [step for (step,) in rows(small_project, query)]
    assert sorted(steps) == list(range(1, trained["epochs"] + 1))
    tags = dict(rows(small_project, "SELECT key, value FROM tags"))
    assert len(tags["dvc_lock_train"]) == 64
    assert {name for (name,) in rows(small_project, "SELECT name FROM datasets")} == {
        "train",
        "validation",
        "test",
    }
    (artifacts,) = (small_project / "mlruns").rglob(f"{run_id}/artifacts")
    files = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*.*")}
    assert files >= {f"candidate/{name}" for name in ("digits.keras", "digits.onnx", "manifest.json")}
    assert files >= {"evaluation/metrics.json", "confusion.png", "mistakes.png"}


def test_repro_again_runs_nothing(small_project: Path) -> None:
    again = repro(small_project)
    assert again.returncode == 0
    assert "Running stage" not in again.stdout


@pytest.mark.heavy  # test_evaluate.py tests each decision in seconds, and test_learn.py one pipeline
def test_repro_moves_the_champion_for_a_better_candidate_only(small_project: Path, tmp_path: Path) -> None:
    """A poor first champion, a better candidate, a worse one (both in DVC's cache), then a moved folder."""
    folder = tmp_path / "a project"
    shutil.copytree(small_project, folder)
    good = YAML(typ="safe").load((folder / "params.yaml").read_text())["train"]["epochs"]
    _forget_the_champion(folder)

    for epochs, said, version in (
        (1, "version 2 is the first champion", "2"),
        (good, "version 1 is the new champion", "1"),
        (1, "version 2 does not replace version 1 (the champion)", "1"),
    ):
        set_epochs(folder, epochs)
        done = repro(folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout
        assert "Running stage 'preprocess'" not in done.stdout
        assert champion_of(folder) == Manifest.load(folder / "models" / "champion").version == version
    assert "Running stage 'train'" not in done.stdout
    assert len(rows(folder, "SELECT * FROM runs")) == 2
    assert len(rows(folder, "SELECT * FROM model_versions")) == 2

    moved = folder.rename(tmp_path / "elsewhere")
    shutil.rmtree(moved / "models" / "champion")
    for command, version in (("--sync", "1"), ("2", "2")):
        subprocess.run([sys.executable, "-m", "pipeline.promote", command], cwd=moved, check=True)
        assert Reader.load(moved / "models" / "champion").model.manifest.version == version


@pytest.mark.heavy  # test_evaluate.py tests the stage for a run that is not in the store
def test_model_that_was_pulled_is_evaluated_and_served(small_project: Path, tmp_path: Path) -> None:
    """The state after `dvc pull` in a clone: all outputs but no store. A second run repeats nothing."""
    folder = tmp_path / "a clone"
    shutil.copytree(small_project, folder)
    shutil.rmtree(folder / "mlruns")
    (folder / "mlruns").mkdir()
    shutil.rmtree(folder / "models" / "champion")
    environment = os.environ | {"MNIST_DIR": str(SMALL), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)}
    for expected, stages in (
        ("a model that was trained elsewhere", ["evaluate"]),
        ("champion: version 1", []),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.repro"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert expected in done.stdout
        assert re.findall(r"Running stage '(\w+)'", done.stdout) == stages
        assert champion_of(folder) == Manifest.load(folder / "models" / "champion").version == "1"


@pytest.mark.heavy  # test_damage.py tests the training and the stage separately
def test_training_outlives_a_damaged_registry_and_is_registered_once_that_is_made_anew(
    small_project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a project"
    shutil.copytree(small_project, folder)
    database = folder / "mlruns" / "mlflow.db"
    served = (folder / "models" / "champion" / "manifest.json").read_bytes()
    set_epochs(folder, 2)
    database.write_bytes(b"garbage " * 10_000)
    done = repro(folder)
    assert done.returncode != 0
    assert "The training continues without MLflow." in done.stdout
    assert f"evaluate: {database} is damaged (file is not a database). `make rebuild-registry`" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert (folder / "models" / "champion" / "manifest.json").read_bytes() == served

    environment = os.environ | {"PYTHONPATH": str(folder), "MLFLOW_TRACKING_URI": ""}
    command = [sys.executable, "-m", "pipeline.rebuild_registry"]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=300)
    done = repro(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"Running stage '(\w+)'", done.stdout) == ["evaluate"]
    assert [version for (version,) in rows(folder, "SELECT version FROM model_versions ORDER BY 1")] == [1, 2]
    query = "SELECT count(*) FROM metrics WHERE key = 'validation/loss' AND run_uuid = (SELECT run_id FROM"
    assert rows(folder, f"{query} model_versions WHERE version = 2)") == [(2,)], "its curve is there too"


def test_registered_model_loads_as_the_readme_says(small_project: Path) -> None:
    code = (
        "import mlflow; mlflow.set_tracking_uri('sqlite:///mlruns/mlflow.db');"
        "model = mlflow.pyfunc.load_model('models:/digits@champion');"
        "print(model.predict(model.input_example)['digit'].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=small_project, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    shown = Digits.load(small_project / "data" / "processed", "test").images[:2]
    said = Model.load(small_project / "models" / "champion").classify(shown[..., None].astype(np.float32))
    assert done.stdout.strip() == str(said.probabilities.argmax(axis=1).tolist())
    assert not (small_project / "mlflow.db").exists()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 'mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")' in readme
    assert 'mlflow.pyfunc.load_model("models:/digits@champion")' in readme


def test_conflict_marks_in_the_lock_end_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n<<<<<<< HEAD\n=======\n>>>>>>> main\n")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.repro"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "`make update`" in done.stderr


@pytest.mark.heavy
def test_queued_experiment_keeps_its_run(small_project: Path, tmp_path: Path) -> None:
    """DVC runs the stage in a copy of the project, but its run must be in the project's own store."""
    folder = tmp_path / "a project"
    shutil.copytree(small_project, folder)
    shutil.copy2(ROOT / ".gitignore", folder)
    (folder / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n")
    (folder / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    names = {
        f"GIT_{role}_{what}": "a@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = (
        os.environ | names | {"MNIST_DIR": str(SMALL), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    )

    def call(*command: str) -> None:
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=300)

    call("git", "init", "--quiet")
    call("git", "add", ".")
    call("git", "commit", "--quiet", "--message", "A project")
    call("dvc", "exp", "run", "--queue", "--set-param", "train.epochs=1")
    call("dvc", "queue", "start")
    evaluated = "SELECT status FROM runs JOIN metrics USING (run_uuid) WHERE key = 'test/accuracy'"
    until = time.monotonic() + 600
    while rows(folder, evaluated) != [("FINISHED",)] * 2:
        assert time.monotonic() < until, rows(folder, "SELECT status FROM runs")
        time.sleep(1)
    call("dvc", "queue", "stop")
    assert len(rows(folder, "SELECT DISTINCT value FROM params WHERE key = 'epochs'")) == 2


def _forget_the_champion(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as connection, connection:
        connection.execute("DELETE FROM registered_model_aliases")
    shutil.rmtree(folder / "models" / "champion")
