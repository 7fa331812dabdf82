"""The table of runs, with a real store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline import compare
from pipeline.registry import runs, versions
from tests.pipeline.conftest import EXAMPLE

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
    pytest.mark.usefixtures("project"),
]
FIGURES = {"validation_primary": 0.875, "test_accuracy": 0.75, "canvas_accuracy": 0.625}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def run(*arguments: str) -> list[str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["compare", *arguments])
        assert compare.main() == 0
        return capsys.readouterr().out.splitlines()

    return run


def train(**params: int) -> str:
    with runs.training_run({"seed": 1, **params}) as run_id:
        pass
    return run_id


def test_compare_without_runs_says_what_makes_one(printed: Callable[..., list[str]]) -> None:
    assert printed() == ["There are no runs yet. `make repro` trains a model."]


def test_compare_shows_the_newest_first_with_figures_version_and_champion(
    printed: Callable[..., list[str]], make_candidate: Callable[..., Path], project: Path
) -> None:
    first, second = train(epochs=3), train(epochs=5)
    for run_id in (first, second):
        with runs.reopened_run(run_id, {}) as (client, _):
            versions.register(client, run_id, make_candidate(run_id=run_id), {}, EXAMPLE)
            runs.log_evaluation(FIGURES, project)
    client.set_registered_model_alias("digits", "champion", "1")
    _, newest, oldest, *_ = printed()
    assert all(figure in newest for figure in ("epochs 5", "87.50%", "75.00%", "62.50%", " s "))
    assert newest.split()[-1] == "2"
    assert oldest.split()[-1] == "1*"
    assert printed("-n", "1")[1] == newest, "the last row also shows what changed"
    assert len(printed("-n", "1")) == 3


def test_compare_leaves_out_searches_and_their_trials(printed: Callable[..., list[str]]) -> None:
    train()
    with runs.training_run({"seed": 1, "space": {"epochs": [1, 2]}}) as above:
        pass
    with runs.training_run({"seed": 1}):
        mlflow.set_tag(MLFLOW_PARENT_RUN_ID, above)
    assert len(printed()) == 3


def test_compare_takes_runs_of_before_with_their_own_names(printed: Callable[..., list[str]]) -> None:
    experiment = runs.connect().get_experiment_by_name("digits")
    assert experiment is not None
    old = MlflowClient().create_run(experiment.experiment_id, run_name="brave-ape").info.run_id
    for name, value in {**FIGURES, "val_accuracy": 0.5, "seed": 1.0, "recall.3": 0.25}.items():
        MlflowClient().log_metric(old, name, value)
    MlflowClient().set_terminated(old, "FAILED")
    row = printed()[1]
    assert all(figure in row for figure in ("brave-ape", "87.50%", "75.00%", "62.50%", "failed"))


def test_compare_of_the_same_again_says_so(printed: Callable[..., list[str]]) -> None:
    train()
    train()
    assert " nothing " in printed()[1]


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_compare_of_no_number(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", "-n", value])
    with pytest.raises(SystemExit):
        compare.main()
    assert "-n" in capsys.readouterr().err
