"""The model as a DVC artifact: `dvc.api` and gto find it by its name in dvc.yaml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dvc.api
import pytest

from tests.sources import ROOT

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="SKIPPED: needs git")


def test_registered_version_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], check=True)
    for name in ("dvc.yaml", "dvc.lock", "params.yaml"):
        shutil.copy2(ROOT / name, tmp_path)
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", "commit", "--quiet", "--message", "A model"], check=True)
    gto = Path(sys.executable).with_name("gto")
    subprocess.run([gto, "register", "digits", "--version", "v1.0.0"], check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    found = dvc.api.artifacts_show("digits", version="v1.0.0", repo=str(tmp_path))
    assert found == {"rev": head.strip(), "path": "models/candidate"}
