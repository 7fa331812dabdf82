"""The stage on tiny data with linear models: its report, its decision, and the effect of a second run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from digits.network.model import Manifest
from digits.reader import DEFAULT_MODEL
from pipeline import default_model, evaluate
from pipeline.mnist.accepted import SIDES, Accepted, learnt, write_learnt
from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.project.paths import CANDIDATE, champion
from pipeline.registry import history, runs, versions
from traffic.counts import Counts
from traffic.slots import REFERENCE, REFERENCE_JSON

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
}
PARAMS = """train:
  seed: 1
  epochs: 3
promote:
  level: 0.05
  primary: {plain: 1.0}
  guards: {calibration: 1.0}
  floors: {plain: 0.1}
  tolerance: 1.0
"""
DATA = "ab" * 32
CURVES = "epoch,loss,val_loss,accuracy,val_accuracy,learning_rate\n1,0.5,0.5,0.9,0.9,0.001\n"


@pytest.fixture
def make(project: Path, make_candidate: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A project with more ones than other digits, and a fake training whose model always gives one answer."""
    monkeypatch.setattr(evaluate, "end_with_parent", lambda: None)
    (project / "params.yaml").write_text(PARAMS)
    summary = project / "data" / "processed" / "summary.json"
    summary.parent.mkdir(parents=True)
    summary.write_text(json.dumps({"sha256": DATA}))
    for number, split in enumerate(("validation", "test")):
        ones = _bars(8, [1, 1, 1, 2, 3, 4, 5, 1], number)
        ones.save(project / "data" / "processed", split)
        for kind in DRAWN_SETS:
            ones.save(project / "data" / "processed", drawn_name(split, kind))
    for side in SIDES:
        Accepted.none().save(project / "data" / "processed", side)

    def train(favourite: int) -> str:
        with runs.training_run({"seed": favourite}) as run_id:
            kept = Digits.load(project / "data" / "processed", "validation").sha256()
            folder = make_candidate(favourite, run_id=run_id, validation_sha256=kept)
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


def test_stage_makes_the_card_of_the_version_and_of_the_champion(
    make: Callable[..., str], project: Path
) -> None:
    run_id = make(1)
    evaluate.run(**HOW)
    client = runs.connect()
    described = client.get_model_version("digits", "1").description or ""
    served = (project / "models" / "champion" / "card.html").read_text(encoding="utf-8")
    (made,) = (project / "mlruns").rglob(f"{run_id}/artifacts/evaluation/card.html")
    assert made.read_text(encoding="utf-8") == served
    assert "| MNIST's test digits | 50.00" in described
    assert "evaluation/card.html" in described
    assert Manifest.load(project / "models" / "champion").sha256 in served
    assert served.count("<img ") == 3
    for told in ("digits, version 1</h1>", ">Seed</th><td>1</td>", " cores</td>"):
        assert told in served


def test_stage_keeps_a_reference_beside_the_champion(make: Callable[..., str], project: Path) -> None:
    """The reference is also added when a champion that is older than references is evaluated again."""
    make(1)
    evaluate.run(**HOW)
    folder = project / "models" / "champion"
    made = REFERENCE_JSON.validate_json((folder / REFERENCE).read_bytes())
    counts = Counts.of(made.counts)
    assert made.model == Manifest.load(folder).sha256
    assert counts.pictures("predict") == HOW["canvas_digits"]
    assert counts.pictures("read") > HOW["lines"], "lines, and canvases"
    done = len(history.changes(runs.connect()))
    (folder / REFERENCE).unlink()
    evaluate.run(**HOW)
    assert (folder / REFERENCE).exists()
    assert len(history.changes(runs.connect())) == done, "nothing was promoted"


def test_default_model_is_the_champion_with_a_card_of_its_own(
    make: Callable[..., str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(1)
    evaluate.run(**HOW)
    folder = project / "default"
    folder.mkdir()
    monkeypatch.setattr(default_model, "DEFAULT_MODEL", folder)
    default_model.write_default_model()
    card = (folder / "card.html").read_text(encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert "the default model</h1>" in card
    assert manifest["sha256"] in card
    assert card.count("<img ") == 3
    assert (folder / REFERENCE).read_bytes() == (project / "models" / "champion" / REFERENCE).read_bytes()
    assert (manifest["version"], manifest["trained_with"]) == ("default", {"seed": "1"})


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


@pytest.mark.heavy
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
    make: Callable[..., str],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The candidate always says 7. The default model reads the digits, and was not trained on them."""
    make(7)
    default = shutil.copytree(DEFAULT_MODEL, project / "default")
    kept = Manifest.load(project / "models" / "candidate").validation_sha256
    manifest = replace(Manifest.load(default), validation_sha256=kept)
    (default / "manifest.json").write_text(json.dumps(manifest.as_dict()))
    monkeypatch.setattr(evaluate, "DEFAULT_MODEL", default)
    _with_rule(project, level=0.1, floors={}, tolerance=0.0)
    evaluate.run(**HOW)
    assert not (project / "models" / "champion" / "manifest.json").exists()
    assert json.loads((project / "reports" / "metrics.json").read_text())["champion"] is False
    said = capsys.readouterr().out
    assert "version 1 does not replace the default model" in said
    assert "significantly worse than the default model on primary" in said
    assert "make promote VERSION=1" in said


def test_stage_first_candidate_that_misses_a_floor(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(7)
    evaluate.run(**HOW)
    assert not (project / "models" / "champion" / "manifest.json").exists()
    assert "does not reach the floor of plain" in capsys.readouterr().out


@pytest.mark.heavy
def test_stage_champion_of_another_split_is_not_compared(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The champion's training may have seen the current validation digits."""
    make(2)
    _with_rule(project, floors={})
    evaluate.run(**HOW)
    _bars(8, [1, 1, 1, 1, 1, 1, 1, 1], 5).save(project / "data" / "processed", "validation")
    make(1)
    evaluate.run(**HOW)
    assert "not compared" in capsys.readouterr().out
    decision = json.loads((project / "reports" / "promotion.json").read_text())
    assert decision["promoted"] is False
    assert {row["verdict"] for row in decision["rows"]} == {"not compared"}


def _feedback(project: Path, labels: list[int], groups: list[str]) -> None:
    """Accepted feedback for validation."""
    held = Accepted(_bars(len(labels), labels, 9), np.array(groups))
    held.save(project / "data" / "processed", "validation")


@pytest.mark.heavy
def test_stage_promotes_a_model_for_what_it_has_learnt_from_feedback(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both models have the same accuracy on MNIST, so only the feedback distinguishes them."""
    for name in ("validation", drawn_name("validation", "prototypes")):
        _bars(8, [1, 2, 3, 4, 5, 6, 7, 8], 0).save(project / "data" / "processed", name)
    make(2)
    evaluate.run(**HOW)
    _feedback(project, [1] * 8, list("abcdefgh"))
    run_id = make(1)
    evaluate.run(**HOW)
    decision = json.loads((project / "reports" / "promotion.json").read_text())
    assert decision["promoted"] is True
    assert [row["name"] for row in decision["rows"]][:2] == ["primary", "accepted feedback"]
    figures = json.loads((project / "reports" / "metrics.json").read_text())
    assert figures["validation_accepted_accuracy"] == 1.0
    assert figures["accepted"] == {"learnt": 0, "held_back": 8}
    logged = MlflowClient().get_run(run_id).data.metrics
    assert (logged["score/accepted"], logged["accepted/held_back"]) == (1.0, 8)
    assert "version 2 is the new champion" in capsys.readouterr().out


def test_stage_without_feedback_reports_nothing_of_it(make: Callable[..., str], project: Path) -> None:
    make(1)
    evaluate.run(**HOW)
    assert "accepted" not in (project / "reports" / "metrics.json").read_text()
    assert "accepted" not in (project / "reports" / "promotion.json").read_text()


@pytest.mark.heavy
@pytest.mark.parametrize(("seen", "verdict"), [("az", "compared"), ("abcd", "not compared")])
def test_stage_does_not_judge_a_champion_on_feedback_that_it_has_learnt(
    make: Callable[..., str], project: Path, seen: str, verdict: str
) -> None:
    """The champion reads that group correctly, and the candidate misreads it."""
    make(2)
    write_learnt(project / "models" / "candidate", set(seen))
    evaluate.run(**HOW)
    assert learnt(project / "models" / "champion") == set(seen)
    _feedback(project, [2, 1, 1, 1], list("abcd"))
    make(1)
    evaluate.run(**HOW)
    rows = json.loads((project / "reports" / "promotion.json").read_text())["rows"]
    row = next((row for row in rows if row["name"] == "accepted feedback"), None)
    if verdict == "compared":
        assert row is not None
        assert (row["candidate"], row["rival"]) == (1.0, 0.0)
    else:
        assert row is None


def test_stage_counts_near_duplicates_of_feedback_once(make: Callable[..., str], project: Path) -> None:
    make(1)
    _feedback(project, [1, 1, 1, 2], ["a", "a", "a", "b"])
    evaluate.run(**HOW)
    figures = json.loads((project / "reports" / "metrics.json").read_text())
    assert figures["validation_accepted_accuracy"] == 0.5


def test_stage_says_in_the_run_and_the_reports_how_it_decided(
    make: Callable[..., str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(2)
    evaluate.run(**HOW)
    run_id = make(1)
    evaluate.run(**HOW)
    said = capsys.readouterr().out
    decision = json.loads((project / "reports" / "promotion.json").read_text())
    assert decision["rival"] == "version 1 (the champion)"
    assert [row["name"] for row in decision["rows"]] == ["primary", "primary: plain", "guard: calibration"]
    assert "| primary | 50.000 | 12.500 |" in said
    client = MlflowClient()
    assert "| primary | 50.000 | 12.500 |" in client.get_run(run_id).data.tags["mlflow.note.content"]
    assert "promotion.json" in {Path(file.path).name for file in client.list_artifacts(run_id, runs.REPORT)}


@pytest.mark.heavy
def test_stage_twice_keeps_what_was_decided_first(make: Callable[..., str], project: Path) -> None:
    make(2)
    evaluate.run(**HOW)
    make(1)
    path = project / "reports" / "promotion.json"
    _with_rule(project, level=0.2)
    evaluate.run(**HOW)
    first = json.loads(path.read_text())
    assert first["promoted"] is True
    evaluate.run(**HOW)
    assert json.loads(path.read_text()) == first
    assert len(history.changes(runs.connect())) == 2, "it is promoted once"


@pytest.mark.heavy
def test_stage_weights_trained_again_leave_the_champion(make: Callable[..., str], project: Path) -> None:
    make(1)
    evaluate.run(**HOW)
    served = Manifest.load(champion())
    run_id = make(1)
    evaluate.run(**HOW)
    assert Manifest.load(CANDIDATE).sha256 == served.sha256
    assert run_id != served.run_id
    assert Manifest.load(champion()) == served
    assert len(history.changes(runs.connect())) == 1
    assert json.loads((project / "reports" / "metrics.json").read_text())["champion"] is True


def test_stage_reports_an_interval_around_each_share(make: Callable[..., str], project: Path) -> None:
    make(1)
    evaluate.run(**HOW)
    figures = json.loads((project / "reports" / "metrics.json").read_text())
    for name, (low, high) in _flat(figures["intervals"]):
        value = _named(figures, name)
        assert 0 <= low <= value <= high <= max(1.0, value), name


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, list[float]]]:
    found: list[tuple[str, list[float]]] = []
    for name, value in values.items():
        found += _flat(value, f"{prefix}{name}/") if isinstance(value, dict) else [(prefix + name, value)]
    return found


def _named(figures: dict[str, Any], name: str) -> float:
    value: Any = figures
    for part in name.split("/"):
        value = value[part]
    return float(value)


def _with_rule(project: Path, **changes: Any) -> None:
    """Change some parameters of the rule for promotions."""
    path = project / "params.yaml"
    yaml = YAML(typ="safe")
    params = yaml.load(path.read_text())
    params["promote"] |= changes
    with path.open("w") as file:
        yaml.dump(params, file)
