"""Artifacts of a project whose path differs from that in its database, as in a container."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from pipeline.project.paths import artifacts
from pipeline.registry import mounted
from pipeline.registry.promotion import promote
from pipeline.registry.relocation import relocate

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import sqlite3, sys
import mlflow, numpy as np
from pipeline.project.paths import database
from pipeline.registry import runs
from pipeline.registry.promotion import promote
from pipeline.registry.versions import champion_version

def host_moves(before, now):
    with sqlite3.connect(database()) as connection:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (before, now))

client = runs.connect()
model = mlflow.pyfunc.load_model("models:/digits@champion")
print(model.predict(np.full((1, 28, 28), 9))["digit"][0])
promote(client, str(champion_version(client).version), "a test", "test")
with runs.training_run({"seed": 5}) as run_id:
    mlflow.log_text("before", "before.txt")
    host_moves(*sys.argv[1:])
    mlflow.log_text("after", "after.txt")
    print(run_id)
    print(mlflow.artifacts.load_text(mlflow.get_run(run_id).info.artifact_uri + "/after.txt"))
print(mlflow.artifacts.load_text(f"runs:/{run_id}/before.txt"))
"""


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "start",
    ["file:///gone/a%20project", "file:///C:/Users/me/digits", "file:///project", "/gone/a project"],
)
def test_addresses_of_another_place_mean_the_files_here(start: str) -> None:
    assert mounted.here(f"{start}/mlruns/artifacts/0a/artifacts/x") == f"{artifacts()}/0a/artifacts/x"
    assert mounted.here(f"{start}/mlruns/artifacts") == artifacts()
    for other in (f"{start}/mlruns/artifacts-of-others/x", f"{start}/elsewhere/x"):
        assert mounted.here(other) == other


@pytest.mark.usefixtures("project")
def test_addresses_of_here_and_of_other_folders_that_are_there_stay(tmp_path: Path) -> None:
    other = tmp_path / "other" / "mlruns" / "artifacts"
    other.mkdir(parents=True)
    for address in (f"{artifacts()}/0a", f"{other.as_uri()}/0a", "s3://bucket/mlruns/artifacts/0a"):
        assert mounted.here(address) == address


def test_container_reads_and_writes_while_the_host_moves_the_addresses(
    project: Path, registered: Callable[..., tuple[MlflowClient, str]]
) -> None:
    """The host's artifacts can be read, new ones are found by both sides, and no address is changed."""
    client, version = registered(3)
    promote(client, version, "a test", "test")
    host = artifacts()
    inside = project.with_name("mounted elsewhere")
    project.rename(inside)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, host, "file:///moved/mlruns/artifacts"],
        env=os.environ
        | {
            "PROJECT_IS_MOUNTED": "1",
            "MLFLOW_TRACKING_URI": "",
            "DVC_ROOT": str(inside),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "pipeline" / "registry" / "plugin")]),
        },
        cwd=inside,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    digit, run_id, *texts = done.stdout.splitlines()
    assert (digit, texts) == ("3", ["after", "before"])
    assert not project.exists()
    assert not Path("/moved").exists()
    written = inside / "mlruns" / "artifacts" / run_id / "artifacts"
    assert {"before.txt", "after.txt"} <= {path.name for path in written.iterdir()}
    with closing(sqlite3.connect(inside / "mlruns" / "mlflow.db")) as connection:
        begun = {
            row[0].rpartition("/mlruns/")[0] for row in connection.execute("SELECT artifact_uri FROM runs")
        }
    assert begun == {"file:///moved"}
    inside.rename(project)
    assert relocate()
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/after.txt") == "after"
