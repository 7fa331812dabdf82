"""The commands with a team's MLflow server: PostgreSQL as its database, and S3 for artifacts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import pytest
from mlflow import MlflowClient

from digits.network.model import Manifest, Model
from pipeline.project.errors import OvertakenError, StoreError
from pipeline.registry import history, runs, versions
from pipeline.registry.promotion import promote, rollback
from tests.ports import free_port
from tests.team.servers import BUCKET, KEYS, Team

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE_SECONDS = 25.0  # most of them for Python and MLflow to start; retries would take minutes
Registered = Callable[..., tuple[MlflowClient, str]]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a member, in which only `.env` names the team's servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
    return kept | {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder)} | more


def start(folder: Path, *command: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def say(folder: Path, *command: str, **more: str) -> tuple[int, str]:
    """Run a command; returns its exit code and output."""
    with start(folder, *command, **more) as process:
        said, _ = process.communicate(timeout=180)
    return process.returncode, said


def test_run_and_artifacts_are_with_the_server_and_none_here(
    registered: Registered, project: Path, team: Team
) -> None:
    client, version = registered(1)
    run_id = client.get_model_version("digits", version).run_id
    assert run_id
    run = client.get_run(run_id)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert run.info.status == "FINISHED"
    bucket = boto3.client(
        "s3", endpoint_url=team.s3, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    keys = [found["Key"] for found in bucket.list_objects_v2(Bucket=BUCKET, Prefix="mlflow/")["Contents"]]
    assert any(key.endswith(f"{run_id}/artifacts/candidate/digits.onnx") for key in keys)
    assert {path.name for path in (project / "mlruns").iterdir()} == {".checkout"}
    assert not {name for name in KEYS if name in os.environ}, "a member needs no key of S3 for MLflow"


def test_champion_of_one_machine_is_another_ones(
    registered: Registered, project: Path, make_checkout: Callable[[str], Path]
) -> None:
    """A version is promoted here and served there by its follower, compared and rolled back there."""
    client, first = registered(1)
    _, second = registered(2)
    promote(client, first, "a test", "test")
    other = make_checkout("other")
    with start(other, "pipeline.follow") as follower:
        try:
            until(lambda: served(other) == first, 60)
            promote(client, second, "a better one", "test")
            until(lambda: served(other) == second, 10)
        finally:
            follower.kill()
    assert sha256(other) == sha256(project)
    code, said = say(other, "pipeline.champion")
    assert (code, f"champion: version {second} since" in said) == (0, True), said
    assert "a better one" in said
    code, said = say(other, "pipeline.compare", "-n", "2")
    assert (code, f"{second}*" in said) == (0, True), said
    code, said = say(other, "pipeline.rollback")
    assert (code, said) == (
        0,
        f"champion: version {first} ({sha256(other)[:12]}) in {other}/models/champion\n",
    )
    present = versions.champion_version(client)
    assert present is not None
    assert str(present.version) == first


@pytest.mark.heavy
def test_model_loads_by_its_alias_on_another_machine(
    registered: Registered, tmp_path: Path, team: Team
) -> None:
    client, version = registered(3)
    promote(client, version, "a test", "test")
    code = (
        "import mlflow, numpy as np\n"
        "model = mlflow.pyfunc.load_model('models:/digits@champion')\n"
        "print(model.predict(np.full((1, 28, 28, 1), 9, np.float32))['digit'][0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment(tmp_path, MLFLOW_TRACKING_URI=team.mlflow),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout.split() == ["3"], done.stderr[-2000:]


@pytest.mark.heavy
def test_two_machines_that_promote_at_once_lose_no_change(
    registered: Registered, make_checkout: Callable[[str], Path]
) -> None:
    client, first = registered(1)
    _, second = registered(2)
    _, third = registered(3)
    promote(client, first, "a test", "test")
    before = history.changes(client)
    script = (
        "import sys\n"
        "from pipeline.project.errors import OvertakenError\n"
        "from pipeline.registry.access import open_registry\n"
        "from pipeline.registry.promotion import promote\n"
        "client = open_registry()\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for turn in range(6):\n"
        "    try:\n"
        "        promote(client, sys.argv[1 + turn % 2], f'{sys.argv[3]} {turn}', 'test'); print('done')\n"
        "    except OvertakenError: print('overtaken')\n"
    )
    folders = [make_checkout(name) for name in ("one", "other")]
    machines = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, *order, folder.name],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder, order in zip(folders, [(first, second), (third, second)], strict=True)
    ]
    for machine in machines:
        assert machine.stdout is not None
        assert machine.stdout.readline() == "ready\n"
    said = []
    for machine in machines:
        assert machine.stdin is not None
        machine.stdin.write("\n")
        machine.stdin.flush()
    for machine in machines:
        told, _ = machine.communicate(timeout=180)
        assert machine.returncode == 0
        said += told.split()
    assert len(said) == 12
    done = history.changes(client)[len(before) :]
    reasons = [change.reason for change in done if change.kind == history.PROMOTION]
    assert len(reasons) == len(set(reasons)), "a change is on record twice"
    for change in done:
        assert change.version in (first, second, third)
    for folder in folders:
        code, told = say(folder, "pipeline.promote", "--sync")
        assert code == 0, told
    present = versions.champion_version(client)
    assert present is not None
    assert {served(folder) for folder in folders} == {str(present.version)}
    assert history.changes(client)[-1].version == str(present.version)
    assert rollback(client, "test").served.version != str(present.version)


@pytest.mark.heavy
@pytest.mark.usefixtures("project")
def test_change_that_another_machine_makes_meanwhile_is_told(
    registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, first = registered(1)
    _, second = registered(2)
    promote(client, first, "a test", "test")
    original = history.append

    def overtaken(at: MlflowClient, change: history.Change, key: str) -> None:
        original(at, change, key)
        at.set_registered_model_alias("digits", versions.CHAMPION, first)

    monkeypatch.setattr(history, "append", overtaken)
    with pytest.raises(OvertakenError, match=f"is now version {first}, not version {second}"):
        promote(client, second, "a test", "test")
    monkeypatch.undo()


@pytest.mark.heavy
def test_candidate_takes_over_only_from_the_champion_it_was_compared_with(
    registered: Registered,
) -> None:
    client, first = registered(1)
    _, second = registered(2)
    promote(client, first, "a test", "test")
    with pytest.raises(OvertakenError, match=f"is now version {first}, not no version"):
        promote(client, second, "better", "evaluate", instead_of="")
    assert promote(client, second, "better", "evaluate", instead_of=first).version == second


def test_run_of_another_checkout_on_a_host_of_the_same_name_goes_on(
    project: Path, make_checkout: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with runs.training_run({"seed": 1}) as run_id:
        gone = f"{MlflowClient().get_run(run_id).data.tags[runs.PROCESS].split()[0]} 999999 1"
        MlflowClient().set_tag(run_id, runs.PROCESS, gone)
        monkeypatch.setenv("DVC_ROOT", str(make_checkout("other")))
        assert runs.connect().get_run(run_id).info.status == "RUNNING"
        monkeypatch.setenv("DVC_ROOT", str(project))
        assert runs.connect().get_run(run_id).info.status == "KILLED"


TROUBLES: Mapping[str, tuple[str, str]] = {
    "nothing there": ("http://127.0.0.1:{port}", "the connection is refused"),
    "no such name": ("http://no-such-machine.invalid:5000", "its host name is unknown"),
    "no MLflow": ("{s3}", "cannot be used"),
    "no server's address": ("server:5000", "server:5000"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_server_that_cannot_be_used_is_told_at_once(trouble: str, project: Path, team: Team) -> None:
    address, reason = TROUBLES[trouble]
    uri = address.format(port=free_port(), s3=team.s3)
    (project / ".env").write_text(f"MLFLOW_TRACKING_URI={uri}\n", encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(StoreError, match=reason) as raised:
        runs.connect()
    assert len(str(raised.value)) < 400
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


@pytest.mark.heavy
def test_every_command_says_it_in_a_sentence(make_checkout: Callable[[str], Path]) -> None:
    folder = make_checkout("mine")
    (folder / ".env").write_text(f"MLFLOW_TRACKING_URI=http://127.0.0.1:{free_port()}\n", encoding="utf-8")
    commands = ("champion", "compare", "rollback", "mlflow_ui")
    for process in [start(folder, f"pipeline.{name}") for name in commands]:
        with process:
            said, _ = process.communicate(timeout=180)
        assert (process.returncode, said.count("\n")) == (1, 1), said
        assert "the connection is refused" in said


@pytest.mark.usefixtures("project")
def test_own_store_is_used_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    runs.connect()
    assert Path("mlruns/mlflow.db").exists()


def served(folder: Path) -> str:
    """Return the version of the files in a checkout; "" if there are none."""
    try:
        return Manifest.load(folder / "models" / "champion").version
    except Exception:
        return ""


def sha256(folder: Path) -> str:
    return Model.load(folder / "models" / "champion").manifest.sha256


def until(check: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.05)
