"""The project's own store, through the server of `make mlflow`, for a client on another machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

import launch
from digits.network.model import Model
from pipeline.project.paths import artifacts
from pipeline.registry import versions
from pipeline.registry.promotion import promote
from tests.ports import free_port
from tests.processes import running, wait_until_healthy

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
Registered = Callable[..., tuple[MlflowClient, str]]


@pytest.fixture
def server(project: Path, registered: Registered) -> Iterator[str]:
    """The server of `make mlflow` for a project whose champion was promoted without a server."""
    client, version = registered(3)
    promote(client, version, "a test", "test")
    port = free_port()
    filled = [
        part.format(host="127.0.0.1", port=port, here=project, project=project.as_uri())
        for part in launch.PROGRAMS["mlflow"].arguments
    ]
    settings = launch.QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "DVC_ROOT": str(project)}
    log = project / "server.log"
    with running([sys.executable, "-m", *filled], log, settings) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, process, log)
        yield address


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder, as on another machine."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def python(folder: Path, server: str, *arguments: str) -> str:
    """Return the output of a client that knows only the server's address."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        env=os.environ | {"MLFLOW_TRACKING_URI": server, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_client_elsewhere_loads_the_champion_and_logs_to_the_server(
    server: str, project: Path, elsewhere: Path
) -> None:
    """One test for both, because the server takes seconds to start."""
    code = (
        "import mlflow, numpy as np, sys\n"
        "model = mlflow.pyfunc.load_model('models:/digits@champion')\n"
        "print(model.predict(np.full((1, 28, 28), 9))['digit'][0])\n"
        "for experiment in ('digits', 'of their own'):\n"
        "    mlflow.set_experiment(experiment)\n"
        "    with mlflow.start_run() as run:\n"
        "        mlflow.log_dict({'place': sys.argv[1]}, 'note.json')\n"
        "        address = mlflow.get_artifact_uri()\n"
        "        print(run.info.run_id, address)\n"
        "    print(mlflow.artifacts.load_dict(address + '/note.json'))\n"
    )
    digit, *told = python(elsewhere, server, "-c", code, artifacts()).splitlines()
    assert digit == "3"
    assert not list(elsewhere.iterdir()), "a client keeps nothing on its own disk"
    note = {"place": artifacts()}
    for logged, loaded in zip(told[::2], told[1::2], strict=True):
        run_id, address = logged.split()
        assert address.startswith("mlflow-artifacts:/")
        assert loaded == str(note), "files are passed on unchanged"
        (file,) = (project / "mlruns" / "artifacts").rglob(f"{run_id}/artifacts/note.json")
        assert json.loads(file.read_text(encoding="utf-8")) == note
        # And without a server, as before.
        own = MlflowClient().get_run(run_id).info.artifact_uri
        assert own.startswith((artifacts(), str(project)))
        assert mlflow.artifacts.load_dict(f"{own}/note.json") == note


@pytest.mark.heavy  # starts another server and three commands
def test_colleague_serves_the_champion_and_promotes_through_the_server(
    server: str, project: Path, elsewhere: Path, registered: Registered
) -> None:
    (elsewhere / "mlruns").mkdir()
    python(elsewhere, server, "-m", "pipeline.promote", "--sync")
    assert sha256(elsewhere) == sha256(project)
    client, second = registered(4)
    python(elsewhere, server, "-m", "pipeline.promote", second)
    present = versions.champion_version(client)
    assert present is not None
    assert str(present.version) == second
    python(project, "", "-m", "pipeline.promote", "--sync")
    assert sha256(elsewhere) == sha256(project)


def sha256(folder: Path) -> str:
    return Model.load(folder / "models" / "champion").manifest.sha256
