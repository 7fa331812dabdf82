"""A small real search: its trials are child runs of one run, and a kill loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import optuna
import psutil
import pytest
from mlflow import MlflowClient
from optuna.distributions import FloatDistribution
from optuna.pruners import MedianPruner
from optuna.trial import TrialState
from ruamel.yaml import YAML

from pipeline import profile, search
from pipeline.project.errors import ParameterError, PipelineError
from pipeline.project.params import flat, read_params
from pipeline.registry import runs
from pipeline.tuning import short_training, study, trial
from pipeline.tuning.space import distributions
from tests.small_search import PARAMS, search_and_trials, the_study, write_small_search

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [  # raised inside MLflow, Keras and SQLAlchemy
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def searching(project: Path) -> Path:
    """A project with small data, as the current folder."""
    write_small_search(project)
    return project


def states() -> list[TrialState]:
    return [one.state for one in the_study().trials]


def process_of_the_first_trial(client: MlflowClient) -> psutil.Process:
    """Return the process of the trial once its run has started."""
    until = time.monotonic() + 120
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    while time.monotonic() < until:
        for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
            if run.data.tags.get("mlflow.runName") == "trial 0":
                return psutil.Process(int(run.data.tags[runs.PROCESS].split()[1]))
        time.sleep(0.5)
    raise AssertionError("no trial began")


@pytest.mark.heavy
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_search_tries_a_killed_trial_again(searching: Path, killed: bool) -> None:
    """A real search in processes; the first trial's process is either left alone or killed."""
    client = runs.connect()
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.search"], env=environment, stdout=subprocess.PIPE, text=True
    ) as command:
        if killed:
            process_of_the_first_trial(client).kill()
        said = command.communicate(timeout=200)[0]
    assert command.returncode == 0, said
    assert ("trial 0 was interrupted and will be repeated" in said) is killed
    assert states() == [TrialState.FAIL] * killed + [TrialState.COMPLETE]
    *lost, tried = the_study().trials
    assert all(one.params == tried.params for one in lost)
    parent, trials = search_and_trials(client)
    assert (parent.info.status, parent.data.tags["mlflow.runName"]) == ("FINISHED", "search")
    assert [run.info.status for run in trials] == ["KILLED"] * killed + ["FINISHED"]
    assert [run.data.tags["mlflow.runName"] for run in trials] == ["trial 0", "trial 1"][: 1 + killed]
    assert (
        trials[-1].data.params.items() >= {"epochs": "2", "share": "0.5", "augment.rotation": "5.0"}.items()
    )
    curve = client.get_metric_history(trials[-1].info.run_id, "validation/accuracy")
    assert [point.step for point in curve] == [1, 2]
    assert not list((searching / "models" / "checkpoints").glob("*"))


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        (lambda: None, lambda: time.sleep(0.5), {0}),
        (lambda: sys.exit(1), lambda: time.sleep(600), {1, -signal.SIGTERM}),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: time.sleep(600), {-9, -signal.SIGTERM}),
    ],
)
def test_workers_end_together(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], None], second: Callable[[], None], codes: set[int]
) -> None:
    """All workers are waited for, unless one fails or is killed."""
    fork = get_context("fork")  # starts immediately, with the functions that are patched here
    monkeypatch.setattr(search, "get_context", lambda _: fork)
    monkeypatch.setattr(
        trial, "worker_process", lambda _plan, _trials, worker, _threads: (first, second)[worker]()
    )
    assert search.run_workers(a_plan(), 2, 2, 1) == codes


def a_plan() -> study.Plan:
    """The plan of a search with fake trainings."""
    section = YAML(typ="safe").load(PARAMS)
    searched = distributions(section["search"]["space"], section["train"])
    return study.Plan(section["train"], searched, 2, 0.5, "abc", MedianPruner(1, 1))


def a_stage(trials: int, **given: float) -> None:
    values = YAML(typ="safe").load(PARAMS)["search"] | {"trials": trials}
    search.run(jobs=1, given=given, **values)


def in_this_process(plan: study.Plan, trials: int, *_: int) -> set[int | None]:
    """Replaces the worker processes by one in this process. A killed one leaves its trial unfinished."""
    try:
        trial.work(plan, trials, 0, nothing)
    except PipelineError:
        return {trial.FAILED}
    except SystemExit:
        return {trial.INTERRUPTED}
    return {0}


def nothing(*_: object) -> float:
    """Replaces a training that the test must not reach."""
    raise NotImplementedError


@pytest.fixture
def quick(searching: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Fake trainings whose score is the label smoothing; returns their values in order."""
    got: list[dict[str, float]] = []

    def answer(chosen: optuna.Trial, *_: object, **__: object) -> float:
        got.append(chosen.params)
        return float(chosen.params["label_smoothing"])

    monkeypatch.setattr(search, "end_with_parent", lambda: None)
    monkeypatch.setattr(search, "run_workers", in_this_process)
    monkeypatch.setattr(trial, "run", answer)
    assert not (searching / study.FOUND).exists()
    return got


def end_each(how: BaseException) -> Callable[..., float]:
    """Replaces a training by one that ends its process in this way."""

    def run(*_: object, **__: object) -> float:
        raise how

    return run


def test_search_goes_on_with_other_values(quick: list[dict[str, float]]) -> None:
    a_stage(3)
    a_stage(3)
    assert len(quick) == 3
    a_stage(12)
    assert len({str(values) for values in quick}) == len(quick) == 12
    parent, trials = search_and_trials(runs.connect())
    assert (parent.info.status, trials) == ("FINISHED", [])
    assert parent.data.metrics["validation/accuracy"] == max(one["label_smoothing"] for one in quick)


def test_search_writes_the_best_as_a_profile(quick: list[dict[str, float]]) -> None:
    a_stage(4)
    best = max(quick, key=lambda values: values["label_smoothing"])
    profile.apply(profile.load("found"))
    written = flat(read_params("train"))
    assert {name: written[name] for name in best} == pytest.approx(best, rel=1e-3)
    assert (written["epochs"], written["seed"], written["network.blocks"]) == (9, 1, [[2]])
    a_stage(4)
    assert len(quick) == 4, "the values that were found do not make it another study"


def test_search_interrupted_goes_on(quick: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(trial, "run", end_each(SystemExit()))
        patch.setattr(search, "run_workers", lambda plan, trials, *_: trial.work(plan, trials, 0, nothing))
        with pytest.raises(SystemExit):
            a_stage(2)
    assert search_and_trials(runs.connect())[0].info.status == "KILLED"
    a_stage(2)
    assert states() == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert quick[0] == the_study().trials[0].params
    assert search_and_trials(runs.connect())[0].info.status == "FINISHED"


def test_search_tries_the_present_values_though_a_kill_came_before_they_were_read(
    quick: list[dict[str, float]],
) -> None:
    begun = study.open_study(a_plan())
    study.try_present(begun, a_plan())
    begun.ask()
    a_stage(1)
    assert quick[0] == {"label_smoothing": 0.0, "optimizer.learning_rate": 0.01, "augment.rotation": 5.0}


def test_search_of_shorter_trials_is_another_study(quick: list[dict[str, float]]) -> None:
    a_stage(1)
    a_stage(1, epochs=1)
    assert quick[0] == quick[1], "each begins with the current values"


def test_workers_side_by_side_take_no_trial_twice_and_none_too_many(quick: list[dict[str, float]]) -> None:
    runs.connect()
    begun, plan = study.open_study(a_plan()), a_plan()
    begun.set_user_attr(study.RUN, search_run())
    for value in (0.01, 0.02, 0.03, 0.04):
        begun.enqueue_trial({"label_smoothing": value})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(trial.work, [plan] * 4, [10] * 4, range(4), [nothing] * 4))
    assert states() == [TrialState.COMPLETE] * 10
    assert len({str(values) for values in quick}) == len(quick) == 10


def search_run() -> str:
    with runs.training_run({"seed": 1}) as run_id:
        return run_id


@pytest.mark.usefixtures("quick")
def test_workers_draw_different_values_of_one_study() -> None:
    plan = a_plan()
    drawn = [study.open_study(plan, worker).ask(dict(plan.searched)).params for worker in (0, 1, 0)]
    assert len({str(values) for values in drawn}) == 3


@pytest.mark.usefixtures("quick")
def test_search_gives_up_after_three_lost_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "run", end_each(SystemExit()))
    with pytest.raises(PipelineError, match="3 trials in a row were killed"):
        a_stage(2)
    assert states() == [TrialState.FAIL] * 2 + [TrialState.RUNNING]


@pytest.mark.usefixtures("quick")
def test_search_stops_at_a_trial_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "run", end_each(PipelineError("no such data")))
    with pytest.raises(PipelineError, match="trial failed"):
        a_stage(2)
    with pytest.raises(PipelineError, match="trial 1: no such data"):
        trial.work(a_plan(), 2, 0, nothing)
    assert states() == [TrialState.FAIL] * 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("given", [{"epochs": 0}, {"share": 0.0}, {"share": 1.5}])
def test_search_refuses_numbers_that_make_no_sense(given: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="share in"):
        a_stage(1, **given)
    with pytest.raises(ParameterError, match="trials"):
        a_stage(0)


@pytest.fixture
def one_trial(searching: Path) -> tuple[optuna.Trial, study.Plan]:
    """A trial below perfect earlier ones, so that it is pruned as early as possible."""
    assert (searching / "mlruns").is_dir()
    made = study.open_study(a_plan())
    made.set_user_attr(study.RUN, "0" * 32)
    made.add_trial(optuna.create_trial(value=1.0, intermediate_values={1: 1.0, 2: 1.0}))
    runs.connect()
    return made.ask({"label_smoothing": FloatDistribution(0.0, 0.1)}), a_plan()


def train_here(plan: study.Plan) -> trial.Train:
    return partial(trial.train_here, short_training.images(plan.settings, plan.share), plan)


def test_run_that_is_pruned(one_trial: tuple[optuna.Trial, study.Plan]) -> None:
    with pytest.raises(optuna.TrialPruned):
        trial.run(*one_trial, train_here(one_trial[1]))
    (run,) = runs.connect().search_runs(["1"])
    assert (run.info.status, run.data.tags[trial.OUTCOME]) == ("FINISHED", "pruned")


def test_run_that_fails(one_trial: tuple[optuna.Trial, study.Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.training.loop.train", lambda *_, **__: end_each(MemoryError())())
    with pytest.raises(MemoryError):
        trial.run(*one_trial, train_here(one_trial[1]))
    (run,) = runs.connect().search_runs(["1"])
    assert run.info.status == "FAILED"


@pytest.mark.usefixtures("searching")
def test_search_on_a_cluster_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "pipeline.tuning.cluster", raising=False)
    monkeypatch.delattr("pipeline.tuning.cluster", raising=False)
    with pytest.raises(PipelineError, match="make team"), search.workers("auto", None):
        pass
