"""A search for real, small: its trials are runs below one run, nothing of it is lost by a kill."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState
from ruamel.yaml import YAML

from pipeline import profile, search
from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.project.errors import ParameterError, PipelineError
from pipeline.project.params import flat, read_params
from pipeline.project.paths import PROCESSED
from pipeline.registry import runs
from pipeline.tuning import study, trial
from pipeline.tuning.space import distributions, present, with_values

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [  # raised inside MLflow, Keras and SQLAlchemy
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning", "ignore::ResourceWarning"),
]

PARAMS = """
train:
  seed: 1
  resume: true
  epochs: 9
  batch: 16
  bfloat16: false
  drawn: 1.0
  drawn_last: 1.0
  false_rejects: 0.003
  turns: []
  label_smoothing: 0.0
  network: {blocks: [[2]], padding: [same], kernels: [3], halving: [pool]}
  optimizer: {drawn_name: adamw, learning_rate: 0.01, schedule: one_cycle, warmup: 0.2, weight_decay: 0.01}
  augment: {rotation: 5.0, shift: 0.0}
search:
  trials: 1
  epochs: 2
  share: 0.5
  prune_after_trials: 4
  prune_after_epochs: 1
  space:
    label_smoothing: [0.0, 0.1]
    optimizer: {learning_rate: [0.001, 0.1, log]}
    augment: {rotation: [0.0, 10.0]}
"""


@pytest.fixture
def searching(project: Path) -> Path:
    """A project with small data and no test images at all: the test stands in it."""
    (project / "params.yaml").write_text(PARAMS)
    random = np.random.default_rng(1)
    for split, count in (("train", 64), ("validation", 22)):
        for kind in ("", *DRAWN_SETS):
            labels = np.full(count, 10) if kind == "negatives" else np.arange(count) % 10
            images = random.integers(0, 255, (count, 28, 28), np.uint8)
            Digits(images, labels.astype(np.uint8)).save(
                PROCESSED, drawn_name(split, kind) if kind else split
            )
    (PROCESSED / "summary.json").write_text('{"sha256": "abc"}')
    shutil.copytree(ROOT / "profiles", "profiles", ignore=shutil.ignore_patterns("found.yaml"))
    return project


def search_and_trials(client: MlflowClient) -> tuple[Run, list[Run]]:
    """The search's run, and those of its trials in their order."""
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    (parent,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(trials) == len(found) - 1
    return parent, trials


def the_study() -> optuna.Study:
    """The only study there is."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{Path('mlruns/search.db').resolve()}")
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage)


def states() -> list[TrialState]:
    return [one.state for one in the_study().trials]


def process_of_the_first_trial(client: MlflowClient) -> psutil.Process:
    """Its process, once its run has begun."""
    until = time.monotonic() + 120
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    while time.monotonic() < until:
        for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
            if run.data.tags.get("mlflow.runName") == "trial 0":
                return psutil.Process(int(run.data.tags[runs.PROCESS].split()[1]))
        time.sleep(0.5)
    raise AssertionError("no trial began")


def test_search_tries_a_killed_trial_again(searching: Path) -> None:
    """The real thing, in processes: the first trial's is killed outright."""
    client = runs.connect()
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.search"], env=environment, stdout=subprocess.PIPE, text=True
    ) as command:
        process_of_the_first_trial(client).kill()
        said = command.communicate(timeout=200)[0]
    assert command.returncode == 0, said
    assert "trial 0 was interrupted and is tried again" in said
    assert states() == [TrialState.FAIL, TrialState.COMPLETE]
    lost, tried = the_study().trials
    assert lost.params == tried.params
    parent, trials = search_and_trials(client)
    assert (parent.info.status, parent.data.tags["mlflow.runName"]) == ("FINISHED", "search")
    assert [run.info.status for run in trials] == ["KILLED", "FINISHED"]
    assert [run.data.tags["mlflow.runName"] for run in trials] == ["trial 0", "trial 1"]
    assert trials[1].data.params.items() >= {"epochs": "2", "share": "0.5", "augment.rotation": "5.0"}.items()
    curve = client.get_metric_history(trials[1].info.run_id, "val_accuracy")
    assert [point.step for point in curve] == [1, 2]
    assert not list((searching / "models" / "checkpoints").glob("*"))


class Ended:
    """A process that has ended before anybody looks: its sentinel is a pipe at its end."""

    def __init__(self) -> None:
        self.sentinel, writing = os.pipe()
        os.close(writing)

    def is_alive(self) -> bool:
        os.close(self.sentinel)
        return False


def end_at_once(how: Callable[[optuna.Trial], object]) -> Callable[..., Ended]:
    """In the place of a trial's process: the trial ends in this one, before it begins."""

    def start(chosen: optuna.Trial, *_: object) -> Ended:
        how(chosen)
        return Ended()

    return start


def a_stage(trials: int, **given: float) -> None:
    values = YAML(typ="safe").load(PARAMS)["search"] | {"trials": trials}
    search.run(jobs=1, given=given, **values)


@pytest.fixture
def quick(searching: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Trials that train nothing and score their label smoothing; the values they got, in order."""
    got: list[dict[str, float]] = []

    def answer(chosen: optuna.Trial) -> None:
        got.append(chosen.params)
        chosen.study.tell(chosen, chosen.params["label_smoothing"])

    monkeypatch.setattr(search, "end_with_parent", lambda: None)
    monkeypatch.setattr(search, "start", end_at_once(answer))
    assert not (searching / search.FOUND).exists()
    return got


def test_search_goes_on_with_other_values(quick: list[dict[str, float]]) -> None:
    a_stage(3)
    a_stage(3)
    assert len(quick) == 3
    a_stage(12)
    assert len({str(values) for values in quick}) == len(quick) == 12
    parent, trials = search_and_trials(runs.connect())
    assert (parent.info.status, trials) == ("FINISHED", [])
    assert parent.data.metrics["best_val_accuracy"] == max(one["label_smoothing"] for one in quick)


def test_search_writes_the_best_as_a_profile(quick: list[dict[str, float]]) -> None:
    a_stage(4)
    best = max(quick, key=lambda values: values["label_smoothing"])
    profile.apply(profile.load("found"))
    written = flat(read_params("train"))
    assert {drawn_name: written[drawn_name] for drawn_name in best} == pytest.approx(best, rel=1e-3)
    assert (written["epochs"], written["seed"], written["network.blocks"]) == (9, 1, [[2]])
    a_stage(4)
    assert len(quick) == 4, "with what was found it is the same study"


def test_search_interrupted_goes_on(quick: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(search, "start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            a_stage(2)
    assert search_and_trials(runs.connect())[0].info.status == "KILLED"
    a_stage(2)
    assert states() == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert quick[0] == the_study().trials[0].params
    assert search_and_trials(runs.connect())[0].info.status == "FINISHED"


def test_search_of_shorter_trials_is_another_study(quick: list[dict[str, float]]) -> None:
    a_stage(1)
    a_stage(1, epochs=1)
    assert quick[0] == quick[1], "each begins with the present values"


def test_search_waits_for_a_trial_that_has_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter((1.5, 0.1))  # from a trial's answer to the end of its process
    asked, started = [], []

    def answer_both(chosen: optuna.Trial, *_: object) -> SpawnProcess:
        asked.append(chosen)
        for one in asked if len(asked) == 2 else ():
            one.study.tell(one, 0.5)
        started.append(get_context("spawn").Process(target=time.sleep, args=(next(seconds),)))
        started[-1].start()
        return started[-1]

    monkeypatch.setattr(search, "start", answer_both)
    made, ended = optuna.create_study(direction="maximize"), []
    search.search(
        made,
        {"label_smoothing": FloatDistribution(0.0, 0.1)},
        trial.Plan({}, 1, 1.0, "", ""),
        trials=2,
        jobs=2,
        after_each=lambda: ended.append([one.exitcode for one in started]),
    )
    assert ended[-1] == [0, 0]  # none was ended from outside, and both count


@pytest.mark.usefixtures("quick")
def test_search_gives_up_after_three_lost_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "start", end_at_once(lambda _: None))
    with pytest.raises(PipelineError, match="3 trials in a row were killed"):
        a_stage(2)
    assert states() == [TrialState.FAIL] * 3 + [TrialState.WAITING]


@pytest.mark.usefixtures("quick")
def test_search_stops_at_a_trial_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    fail = end_at_once(lambda chosen: chosen.study.tell(chosen, state=TrialState.FAIL))
    monkeypatch.setattr(search, "start", fail)
    with pytest.raises(PipelineError, match="Trial 0 failed"):
        a_stage(2)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("given", [{"epochs": 0}, {"share": 0.0}, {"share": 1.5}])
def test_search_refuses_numbers_that_make_no_sense(given: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="share in"):
        a_stage(1, **given)
    with pytest.raises(ParameterError, match="trials"):
        a_stage(0)


@pytest.fixture
def one_trial(searching: Path) -> tuple[optuna.Trial, trial.Plan]:
    """A trial behind others that were always right, so that it is pruned once it may be."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1)
    assert (searching / "mlruns").is_dir()
    made = study.open_study("a study", 1, pruner)
    made.add_trial(optuna.create_trial(value=1.0, intermediate_values={1: 1.0, 2: 1.0}))
    runs.connect()
    return made.ask({"label_smoothing": FloatDistribution(0.0, 0.1)}), trial.Plan(
        read_params("train"), 2, 0.5, "abc", "0" * 32
    )


def test_run_that_is_pruned(one_trial: tuple[optuna.Trial, trial.Plan]) -> None:
    trial.run(*one_trial)
    assert states()[-1] is TrialState.PRUNED
    (run,) = runs.connect().search_runs(["1"])
    assert (run.info.status, run.data.tags[trial.OUTCOME]) == ("FINISHED", "pruned")
    assert study.done(the_study()) == 2


def test_run_that_fails(one_trial: tuple[optuna.Trial, trial.Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipeline.training.loop.train", fail)
    with pytest.raises(MemoryError):
        trial.run(*one_trial)
    assert states()[-1] is TrialState.FAIL
    (run,) = runs.connect().search_runs(["1"])
    assert run.info.status == "FAILED"


def test_part_is_the_same_for_the_same_seed() -> None:
    digits = Digits(
        np.arange(10, dtype=np.uint8).repeat(784).reshape(10, 28, 28), np.arange(10, dtype=np.uint8)
    )

    def labels(share: float, seed: int) -> list[int]:
        return trial.part(digits, 10, share, seed)[0].labels.tolist()

    assert labels(0.3, 1) == labels(0.3, 1) != labels(0.3, 2)
    assert [len(labels(share, 1)) for share in (0.01, 0.3, 1.0)] == [1, 3, 10]


def test_part_takes_as_much_of_what_is_drawn() -> None:
    digits = Digits(np.zeros((14, 28, 28), np.uint8), np.arange(14, dtype=np.uint8))
    chosen, own = trial.part(digits, 10, 0.5, 1)
    assert own == 5
    assert max(chosen.labels[:own]) < 10 <= min(chosen.labels[own:])
    assert chosen.total == 7


SETTINGS: dict[str, Any] = {
    "seed": 1,
    "batch": 32,
    "augment": {"shift": 2.0},
    "optimizer": {"name": "adam", "learning_rate": 0.00123456},
}


def test_space_reads_ranges() -> None:
    space = {
        "batch": [16, 64],
        "augment": {"shift": [0, 4.0]},
        "optimizer": {"learning_rate": [0.001, 0.1, "log"]},
    }
    found = distributions(space, SETTINGS)
    assert found == {
        "batch": IntDistribution(16, 64),
        "augment.shift": FloatDistribution(0, 4.0),
        "optimizer.learning_rate": FloatDistribution(0.001, 0.1, log=True),
    }
    assert present(found, SETTINGS) == {
        "batch": 32,
        "augment.shift": 2.0,
        "optimizer.learning_rate": 0.00123456,
    }
    assert present({"batch": IntDistribution(64, 128)}, SETTINGS) is None


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            {"augment": {"shfit": [0.0, 1.0]}},
            r"cannot have 'augment\.shfit', only batch, augment\.shift, opt",
        ),
        ({"optimizer": {"name": ["adam", "adamw"]}}, r"cannot have 'optimizer\.name'"),
        ({"seed": [1, 2]}, "cannot have 'seed'"),
        ({"batch": 32}, r"batch is 32: use \[low, high\]"),
        ({"batch": [16, 64, "lin"]}, "use"),
        ({"batch": [64, 16]}, "needs low <= high"),
        ({"augment": {"shift": [0.0, 1.0, "log"]}}, "needs 0 < low <= high"),
        ({}, "names nothing"),
    ],
)
def test_space_refuses(space: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        distributions(space, SETTINGS)


def test_space_of_params_yaml_fits_and_holds_the_present_values() -> None:
    settings = read_params("train", ROOT / "params.yaml")
    searched = distributions(read_params("search", ROOT / "params.yaml")["space"], settings)
    assert present(searched, settings) is not None


def test_with_values_changes_what_was_searched_alone() -> None:
    changed = with_values(SETTINGS, {"augment.shift": 1.234567, "batch": 20})
    assert changed == SETTINGS | {"augment": {"shift": 1.235}, "batch": 20}
    assert SETTINGS["batch"] == 32
