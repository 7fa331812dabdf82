"""DVC with a folder as remote; tests/team uses S3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import remote

DATA = "data/raw/digits"


def dvc(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments, "--quiet"], cwd=folder, check=True)


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """Two checkouts, the first of which has data that DVC tracks."""
    for name in ("mine", "other"):
        (tmp_path / name / "data" / "raw").mkdir(parents=True)
        dvc(tmp_path / name, "init", "--no-scm")
    (tmp_path / "mine" / DATA).write_bytes(b"digits")
    dvc(tmp_path / "mine", "add", DATA)
    return tmp_path / "mine", tmp_path / "other"


def test_what_one_pushes_into_a_folder_another_pulls(
    clones: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = clones
    pointer = f"{DATA}.dvc"
    (other / pointer).write_bytes((mine / pointer).read_bytes())
    for folder, word in ((mine, "push"), (other, "pull")):
        monkeypatch.chdir(folder)
        (folder / ".env").write_text(f"DVC_REMOTE_URL={tmp_path / 'share' / 'dvc'}\n")
        monkeypatch.setattr(sys, "argv", ["remote"])
        assert remote.main() == 0
        dvc(folder, word)
    assert (other / DATA).read_bytes() == b"digits"


@pytest.mark.parametrize("url", ["", "share/dvc", "bucket"])
def test_other_addresses_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"DVC_REMOTE_URL={url}\n")
    monkeypatch.setattr(sys, "argv", ["remote"])
    assert remote.main() == 1
    assert "s3://bucket/dvc or /mnt/share/dvc" in capsys.readouterr().err
