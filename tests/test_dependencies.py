"""`dvc.yaml` lists all code that can change the outputs of a stage, and for `train` nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.sources import PACKAGES, ROOT, closure, modules

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
FRONT_DOOR = Path("digits/__init__.py")

EVERYWHERE = {  # imports of stages that are not dependencies
    "__init__.py": "describes its folder, passes on names, or sets what libraries log: tests/test_imports.py",
    "digits/errors.py": "exceptions: a stage that raises one writes nothing",
    "pipeline/project": "paths, parameters, exit codes, and how files are written: no number in them",
}
NOT_LISTED = {
    "fetch": {},
    "train": {
        "pipeline/registry/runs.py": "MLflow's notes, and commit and run id in the manifest: no weight",
        "pipeline/registry/records.py": "a copy of MLflow's notes",
        "pipeline/registry/damage.py": "whether MLflow's database is whole",
        "pipeline/registry/relocation.py": "MLflow's addresses",
        "pipeline/registry/server.py": "whether a team's MLflow answers",
        "pipeline/registry/metric_names.py": "names in MLflow",
        "pipeline/registry/run_names.py": "names in MLflow",
    },
}


def code_dependencies(stage: str) -> list[Path]:
    """Return the files and folders of code that dvc.yaml lists for a stage."""
    return [path for path in map(Path, STAGES[stage]["deps"]) if path.parts[0] in PACKAGES]


def needed(stage: str) -> set[Path]:
    """Return the imports of a stage, without the exceptions."""
    files = closure(Path("pipeline", f"{stage}.py"), leaves=frozenset({FRONT_DOOR}))
    left_out = [Path(path) for path in (*EVERYWHERE, *NOT_LISTED.get(stage, {}))]
    return {file for file in files if not any(covers(path, file) for path in left_out)}


def covers(listed: Path, file: Path) -> bool:
    """Whether a file is the listed one, or is in the listed folder, or has the listed name."""
    return listed in (file, *file.parents) or listed == Path(file.name)


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_that_a_stage_needs_is_listed(stage: str) -> None:
    listed = code_dependencies(stage)
    missing = {str(file) for file in needed(stage) if not any(covers(path, file) for path in listed)}
    assert not missing


@pytest.mark.parametrize("stage", STAGES)
def test_everything_that_is_listed_is_needed(stage: str) -> None:
    files = needed(stage)
    superfluous = {
        str(path) for path in code_dependencies(stage) if not any(covers(path, file) for file in files)
    }
    assert not superfluous


def test_train_depends_on_nothing_that_changes_no_model() -> None:
    """A training takes minutes, so every file in a listed folder must really be imported."""
    every = {file for package in PACKAGES for file in modules(package) if file.name != "__init__.py"}
    listed = {file for file in every if any(covers(path, file) for path in code_dependencies("train"))}
    assert listed == needed("train")


@pytest.mark.parametrize("stage", STAGES)
def test_every_exception_is_still_one(stage: str) -> None:
    files = closure(Path("pipeline", f"{stage}.py"), leaves=frozenset({FRONT_DOOR}))
    for path in map(Path, NOT_LISTED.get(stage, {})):
        assert any(covers(path, file) for file in files), path
