"""A colleague's clone: `dvc pull` brings the team's model, which is served without a training."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from digits.network.model import Model
from pipeline import remote
from pipeline.project.errors import StoreError
from tests.conftest import SMALL
from tests.service.conftest import serving
from tests.team.servers import Team

ROOT = Path(__file__).resolve().parents[2]
AUTHOR = ("-c", "user.name=A member", "-c", "user.email=member@localhost")


def run(folder: Path, *command: str) -> str:
    """Return the output of a member's command; raises AssertionError if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
    environment = kept | {
        "MNIST_DIR": str(SMALL),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environment.pop("DVC_ROOT", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=800, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def python(folder: Path, *command: str) -> str:
    return run(folder, sys.executable, "-m", *command)


def test_clone_pulls_and_serves_the_teams_champion_without_a_training(
    small_project: Path, tmp_path: Path, team: Team
) -> None:
    """The first member's local model becomes the team's, and then a colleague uses it."""
    first, colleague = tmp_path / "first", tmp_path / "colleague"
    left_out = shutil.ignore_patterns("mlruns", "champion", "checkpoints", "tmp", "__pycache__")
    shutil.copytree(small_project, first, ignore=left_out)
    shutil.copy2(ROOT / ".gitignore", first)
    shutil.copy2(ROOT / ".dvc" / "config", first / ".dvc")
    (first / ".env").write_text(team.env_file(), encoding="utf-8")
    run(first, "git", "init", "--quiet")
    said = python(first, "pipeline.repro")  # its run is not the server's yet
    assert "Running stage 'train'" not in said
    assert "champion: version " in said
    python(first, "pipeline.remote")
    python(first, "dvc", "push")
    run(first, "git", "add", ".")
    run(first, "git", *AUTHOR, "commit", "--quiet", "-m", "A model for all")
    committed = run(first, "git", "ls-files").split()
    assert not {".env", ".dvc/config.local"} & set(committed)
    assert team.s3 not in "".join((first / path).read_text(errors="replace") for path in committed)

    run(tmp_path, "git", "clone", "--quiet", str(first), str(colleague))
    champion = Model.load(first / "models" / "champion").manifest
    shutil.rmtree(first)  # nothing is read from there
    (colleague / ".env").write_text(team.env_file(), encoding="utf-8")
    python(colleague, "pipeline.remote")
    python(colleague, "dvc", "pull")
    assert "up to date" in python(colleague, "dvc", "status")
    said = python(colleague, "pipeline.repro")  # as `make run` does beside the service
    assert "Running stage" not in said
    with serving(colleague / "models" / "champion", tmp_path / "home") as server:
        model = server.get("/model").json()
        assert (model["version"], model["sha256"]) == (champion.version, champion.sha256)


@pytest.mark.usefixtures("project")
def test_remote_is_written_where_git_and_others_do_not_see_it(project: Path) -> None:
    python(project, "dvc", "init", "--quiet", "--no-scm")
    said = python(project, "pipeline.remote")
    assert said.startswith("DVC's remote is s3://team/dvc")
    local = project / ".dvc" / "config.local"
    assert stat.S_IMODE(local.stat().st_mode) == 0o600
    assert "secret_access_key = test-secret" in local.read_text(encoding="utf-8")
    assert "team" not in (project / ".dvc" / "config").read_text(encoding="utf-8")


def test_remote_without_an_address_is_refused(project: Path) -> None:
    (project / ".env").write_text("DVC_REMOTE_URL=\n", encoding="utf-8")
    with pytest.raises(StoreError, match="DVC_REMOTE_URL is ''"):
        remote.settings()


def test_keys_of_the_environment_stay_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".env").write_text("DVC_REMOTE_URL=s3://bucket/dvc\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example.org")
    assert remote.settings() == {"url": "s3://bucket/dvc", "endpointurl": "https://s3.example.org"}
