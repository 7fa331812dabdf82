"""`pipeline/stage` finds a Python with the pipeline's packages, whatever is on the PATH."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "pipeline" / "stage"
WITHOUT_PACKAGES = '#!/bin/sh\n[ "$1" = -c ] && exit 1\necho "the wrong Python: $*"\n'
WITH_PACKAGES = '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "the right Python: $*"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, a Python without packages on the PATH, and one with packages in .venv."""
    write(tmp_path / "path" / "python", WITHOUT_PACKAGES)
    write(tmp_path / ".venv" / "bin" / "python", WITH_PACKAGES)
    return tmp_path


def write(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def stage(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder / 'path'}:/usr/bin:/bin"} | environment
    return subprocess.run(
        ["sh", str(SCRIPT), "train"], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_stage_takes_the_projects_python_where_the_path_has_another(project: Path) -> None:
    assert stage(project).stdout == "the right Python: -m pipeline.train\n"


def test_stage_takes_the_paths_python_first(project: Path) -> None:
    write(project / "path" / "python", WITH_PACKAGES.replace("right", "first"))
    assert stage(project).stdout == "the first Python: -m pipeline.train\n"


def test_stage_finds_the_checkout_from_a_copy_of_it(project: Path, tmp_path: Path) -> None:
    """`dvc exp run --temp` runs stages in a copy without .venv; DVC_ROOT names the checkout."""
    copy = tmp_path / "copy"
    shutil.copytree(project / "path", copy / "path")
    assert stage(copy, DVC_ROOT=str(project)).stdout == "the right Python: -m pipeline.train\n"


def test_stage_without_any_says_what_to_do(project: Path) -> None:
    shutil.rmtree(project / ".venv")
    done = stage(project)
    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert not done.stdout


def test_stage_knows_which_packages_a_real_python_needs(project: Path) -> None:
    """This Python has the packages; one without site-packages does not."""
    real = project / "path" / "python"
    write(real, f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\necho "real: $*"\n')
    assert stage(project).stdout == "real: -m pipeline.train\n"
    write(real, f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} -S "$@"\necho "real: $*"\n')
    assert stage(project).stdout == "the right Python: -m pipeline.train\n"
