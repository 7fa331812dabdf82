"""Projects for fault injection: an intact one after each stage, and a disk for damaged copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.registry import runs
from tests.conftest import copy_project
from tests.damage.commands import forks, stand_in
from tests.damage.sandbox import Sandbox, sandbox
from tests.damage.wholeness import STAGES


@dataclass(frozen=True)
class Undisturbed:
    """A project after each stage, and the number of file changes by each module on the way."""

    folder: Path
    changes: dict[str, dict[str, int]]

    def before(self, stage: str) -> Path:
        return self.folder / str(STAGES.index(stage))

    def after(self, stage: str) -> Path:
        return self.folder / str(STAGES.index(stage) + 1)


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with sandbox() as made:
        yield made


@pytest.fixture(scope="session")
def undisturbed(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Run the whole pipeline, stage by stage, with few drawings and epochs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    made = Undisturbed(folder, {})
    new = made.before("fetch")
    new.mkdir()
    copy_project(new)
    _make_quick(new / "params.yaml")
    process = forks().Process(target=_open_store, args=(new,))
    process.start()
    process.join()
    for stage in STAGES:
        box.restore(made.before(stage))
        made.changes[stage] = box.changes("dvc", "repro", stage)
        shutil.copytree(box.project, made.after(stage))
    return made


def _open_store(project: Path) -> None:
    """Create MLflow's tables; their 500 statements would otherwise be most injection points of `train`."""
    stand_in(project)
    runs.connect()


def _make_quick(params: Path) -> None:
    yaml = YAML()
    values = yaml.load(params.read_text(encoding="utf-8"))
    values["train"] |= {"epochs": 3, "batch": 64}
    values["train"]["optimizer"] |= {"learning_rate": 0.008, "average": 0.8}
    values["preprocess"]["drawn"] |= {
        "prototypes": 0.2,
        "redrawn": 0.1,
        "negatives": 0.15,
        "spoilt": 0.1,
        "scans": 0.15,
    }
    values["evaluate"] |= {"canvas_digits": 10, "lines": 2, "papers": 2, "marks": 3, "worst": 3}
    values["promote"]["floors"] = {"plain": 0.05}
    with params.open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
