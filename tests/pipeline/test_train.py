"""The order in which the stage writes its outputs, because it may be interrupted between any two."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.network.model import Manifest
from pipeline import train
from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import Digits
from pipeline.project.paths import CANDIDATE, PROCESSED
from pipeline.registry import runs
from pipeline.training.checkpoint import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

PARAMS: dict[str, Any] = {"seed": 1, "network": {"blocks": [[4]]}, "optimizer": {"name": "adam"}}
TRAINED: Any = SimpleNamespace(
    model=SimpleNamespace(save=lambda path: path.write_bytes(b"keras")),
    history={"loss": [0.5]},
    best_epoch=1,
    seconds=1.0,
)
EMPTY = Digits(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the stage without a real training; returns the checkpoint that it leaves."""
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz")
    checkpoint.path.write_bytes(b"state")
    manifest = Manifest("", "", "", metrics={"validation_accuracy": 0.5})
    monkeypatch.chdir(tmp_path)
    for name in ("end_with_parent", "check_names"):
        monkeypatch.setattr(train, name, lambda *_: None)
    monkeypatch.setattr(train, "training_data", lambda *_: (EMPTY, EMPTY, EMPTY.total))
    monkeypatch.setattr(train, "data_sha256", lambda _: "")
    monkeypatch.setattr(train, "manifest_of", lambda *_: manifest)
    monkeypatch.setattr(runs, "training_run", lambda _: nullcontext("run"))
    monkeypatch.setattr(runs, "log_data", lambda _: None)
    monkeypatch.setattr(Checkpoint, "of", lambda *_: checkpoint)
    monkeypatch.setattr("pipeline.training.loop.train", lambda *_, **__: TRAINED)
    return checkpoint.path


def test_stage_keeps_the_checkpoint_until_the_candidate_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "write_candidate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.run(resume=True, drawn=0.0, drawn_last=0.0, accepted=1, false_rejects=0.0, turns=[], **PARAMS)
    assert path.exists()
    monkeypatch.setattr(train, "write_candidate", lambda *_: None)
    train.run(resume=True, drawn=0.0, drawn_last=0.0, accepted=1, false_rejects=0.0, turns=[], **PARAMS)
    assert not path.exists()


@pytest.mark.usefixtures("path")
def test_write_candidate_writes_the_manifest_last(monkeypatch: pytest.MonkeyPatch) -> None:
    before: set[str] = set()
    told: list[Manifest] = []

    def write_folder(_: object, folder: Path, __: object, manifest: Manifest) -> None:
        before.update(file.name for file in folder.iterdir())
        told.append(manifest)

    monkeypatch.setattr("pipeline.registry.model_folder.write_folder", write_folder)
    EMPTY.save(PROCESSED, "validation")
    Accepted.none().save(PROCESSED, "train")
    train.write_candidate(TRAINED, EMPTY, Manifest("", "", ""))
    assert told[0].validation_sha256 == EMPTY.sha256()
    assert before == {"digits.keras"}
    assert {file.name for file in CANDIDATE.iterdir()} == before


def test_curves_can_be_watched_while_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[int] = []
    monkeypatch.setattr(runs, "log_epoch", lambda _, epoch: told.append(epoch))
    curves = train.LiveCurves()
    curves({"loss": 0.5, "val_loss": 0.75}, 1)
    assert (CANDIDATE / "training.csv").read_text() == "epoch,loss,val_loss\n1,0.5,0.75\n"
    curves({"loss": 0.25, "val_loss": 0.5}, 2)
    assert (CANDIDATE / "training.csv").read_text() == "epoch,loss,val_loss\n1,0.5,0.75\n2,0.25,0.5\n"
    assert told == [1, 2]
