"""The stage on tiny data with linear models: its report, who wins, and what a second run of it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient

from digits.network.model import Manifest
from pipeline import evaluate
from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.registry import runs, versions

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

Make = Callable[..., Path]
HOW: dict[str, Any] = {
    "seed": 1,
    "canvas_digits": 5,
    "lines": 1,
    "papers": 2,
    "marks": 3,
    "worst": 4,
    "default_margin": 1.0,
}
PARAMS = "train:\n  seed: 1\n  epochs: 3\n"
CURVES = "epoch,loss,val_loss,accuracy,val_accuracy,learning_rate\n1,0.5,0.5,0.9,0.9,0.001\n"


@pytest.fixture
def make(project: Path, make_candidate: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A project with more ones than other digits, and a "training" that gives a model of one answer."""
    monkeypatch.setattr(evaluate, "end_with_parent", lambda: None)
    (project / "params.yaml").write_text(PARAMS)
    for number, split in enumerate(("validation", "test")):
        ones = _bars(8, [1, 1, 1, 2, 3, 4, 5, 1], number)
        ones.save(project / "data" / "processed", split)
        for kind in DRAWN_SETS:
            ones.save(project / "data" / "processed", drawn_name(split, kind))

    def train(favourite: int) -> str:
        with runs.training_run({"seed": favourite}) as run_id:
            folder = make_candidate(favourite, run_id=run_id)
        (folder / "training.csv").write_text(CURVES)
        return run_id

    return train


def _bars(count: int, labels: list[int], seed: int) -> Digits:
    images = np.zeros((count, 28, 28), np.uint8)
    for image, left in zip(images, np.random.default_rng(seed).integers(6, 18, count), strict=True):
        image[4:24, left : left + 3] = 255
    return Digits(images, np.array(labels, np.uint8))


def test_stage_reports_and_promotes_the_first(make: Callable[..., str], project: Path) -> None:
    run_id = make(1)
    evaluate.run(**HOW)
    metrics = json.loads((project / "reports" / "metrics.json").read_text())
    assert metrics["test_accuracy"] == 0.5
    assert metrics["recall"] == {"1": 1.0, "2": 0.0, "3": 0.0, "4": 0.0, "5": 0.0}
    assert metrics["champion"] is True
    assert metrics["paper_accuracy"] == pytest.approx(max(0.0, 1 - metrics["paper_character_errors"]))
    assert 0 <= metrics["validation_paper_accuracy"] <= 1
    assert (Manifest.load(project / "models" / "champion").run_id, metrics["test_errors"]) == (run_id, 4)
    logged = MlflowClient().get_run(run_id)
    assert logged.data.metrics["recall/1"] == 1.0
    assert logged.inputs is not None
    assert {one.dataset.name for one in logged.inputs.dataset_inputs} == {"test"}
    assert logged.info.status == "FINISHED"


def test_stage_twice_for_one_run_registers_it_once(make: Callable[..., str], project: Path) -> None:
    run_id = make(1)
    evaluate.run(**HOW)
    evaluate.run(**HOW)
    client = runs.connect()
    assert len(client.search_model_versions(f"name = 'digits' and run_id = '{run_id}'")) == 1
    assert json.loads((project / "reports" / "metrics.json").read_text())["champion"] is True


def test_stage_worse_candidate_changes_nothing_served(make: Callable[..., str], project: Path) -> None:
    make(1)
    evaluate.run(**HOW)
    before = (project / "models" / "champion" / "manifest.json").read_bytes()
    make(7)
    evaluate.run(**HOW)
    assert (project / "models" / "champion" / "manifest.json").read_bytes() == before
    assert json.loads((project / "reports" / "metrics.json").read_text())["champion"] is False


def test_stage_lost_champion_is_replaced(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make(1)
    evaluate.run(**HOW)
    (lost,) = (project / "mlruns").rglob(f"{first}/artifacts/candidate/digits.onnx")
    lost.unlink()
    (project / "models" / "champion" / "manifest.json").unlink()
    second = make(7)
    evaluate.run(**HOW)
    assert "cannot be compared" in capsys.readouterr().out
    assert Manifest.load(project / "models" / "champion").run_id == second


def test_stage_candidate_of_a_run_that_the_store_forgot(make: Callable[..., str], project: Path) -> None:
    client = runs.connect()
    client.delete_run(make(1))
    evaluate.run(**HOW)
    version = versions.champion_version(client)
    assert version is not None
    served = Manifest.load(project / "models" / "champion")
    assert served.run_id == version.run_id != Manifest.load(project / "models" / "candidate").run_id
    assert client.get_run(served.run_id).data.params["epochs"] == "3"


def test_stage_first_candidate_that_is_clearly_worse_than_the_default_model(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that only ever says 7, beside one that reads."""
    make(7)
    evaluate.run(**HOW | {"default_margin": 0.01})
    assert not (project / "models" / "champion" / "manifest.json").exists()
    assert json.loads((project / "reports" / "metrics.json").read_text())["champion"] is False
    said = capsys.readouterr().out
    assert "version 1 does not take over from the default model" in said
    assert "make promote VERSION=1" in said


@pytest.mark.parametrize(
    ("candidate", "won"),
    [
        ({"a": 0.9, "b": 0.9}, False),
        ({"a": 0.8, "b": 0.99}, False),
        ({"a": 0.95, "b": 0.86}, True),
    ],
)
def test_wins(candidate: dict[str, float], won: bool) -> None:
    assert evaluate.wins(candidate, {"a": 0.9, "b": 0.9}) is won


@pytest.mark.parametrize(
    ("candidate", "over"),
    [({"a": 0.9, "b": 0.9}, True), ({"a": 0.88, "b": 0.905}, True), ({"a": 0.85, "b": 0.92}, False)],
)
def test_takes_over(candidate: dict[str, float], over: bool) -> None:
    assert evaluate.takes_over(candidate, {"a": 0.9, "b": 0.9}, 0.01) is over
