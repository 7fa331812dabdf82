"""Stage `evaluate`: measure the candidate, draw the plots, register it, and promote it if it is better."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient

from digits.errors import ModelError
from digits.reader import DEFAULT_MODEL, Reader
from pipeline.evaluation import plots
from pipeline.evaluation.drawn import Amounts, DrawnAnswers, Task, read_drawn
from pipeline.evaluation.gate import (
    Decision,
    Rule,
    ValidationAnswers,
    against_champion,
    against_default,
    primary,
    table,
    unopposed,
)
from pipeline.evaluation.metrics import Answers, RedrawnAnswers, answers
from pipeline.evaluation.report import of_digits, of_handwriting
from pipeline.evaluation.validation import OnValidation, ValidationData
from pipeline.mnist.accepted import Accepted, learnt
from pipeline.mnist.dataset import Digits
from pipeline.monitoring.reference import reference
from pipeline.project.files import write_csv, write_text
from pipeline.project.params import read_params
from pipeline.project.paths import CANDIDATE, CURVES, PROCESSED, REPORTS, champion
from pipeline.project.processes import spread
from pipeline.project.runner import check_names, end_with_parent, main
from pipeline.registry import cards, records, runs, versions
from pipeline.registry.damage import as_registry_error
from pipeline.registry.promotion import promote, sync
from traffic.slots import REFERENCE

EXAMPLES = 2  # digits in the model's input example in MLflow


@as_registry_error()
def run(seed: int, canvas_digits: int, lines: int, papers: int, marks: int, worst: int) -> None:
    """Run the whole stage.

    `canvas_digits`, `lines` and `papers` are the numbers of redrawn digits, lines and papers. `marks` is the
    number of marks of each kind that is not a digit. `worst` is the number of mistakes on the contact sheet.
    """
    end_with_parent()
    promotion = read_params("promote")
    check_names("promote", Rule, promotion)
    rule = Rule(**promotion)
    test = Digits.load(PROCESSED, "test")
    data = ValidationData.load(PROCESSED, canvas_digits, seed)
    candidate = Reader.load(CANDIDATE)
    manifest = candidate.model.manifest
    print(f"evaluate: measuring on the validation split and on {test.total} test digits", flush=True)
    client = runs.connect()
    rival = Rival.of(client, candidate, data)
    amounts = Amounts(canvas_digits, lines, papers)
    tasks = [
        Task(CANDIDATE, PROCESSED, "test", amounts, seed + 1),
        Task(CANDIDATE, PROCESSED, "validation", amounts, seed),
    ]
    if rival.reader is not None:
        tasks.append(Task(rival.folder, PROCESSED, "validation", amounts, seed))
    on_test, *on_validation = spread(read_drawn, tasks, len(tasks) * amounts.seconds)
    own = OnValidation.of(candidate, data, on_validation[0])
    told = own.for_gate(rival.learnt)
    decision = rival.decide(told, on_validation[1:], rule, seed)
    scores = own.figures()
    read = answers(candidate.model, test)
    of_test = of_digits(read, on_test)
    of_drawn = of_handwriting(candidate, read, on_test, PROCESSED, marks, seed)
    figures = {
        **manifest.metrics,
        **scores,
        "validation_primary": primary(told, rule),
        **of_test.figures,
        **of_drawn.figures,
        **feedback(data.accepted),
        "champion": decision.promoted or rival.is_candidate,
        "intervals": {**own.intervals(), **of_test.intervals, **of_drawn.intervals},
    }
    write_plots(REPORTS, test, read, on_test.redrawn, worst)
    print("evaluate: registering the model in MLflow", flush=True)
    with runs.reopened_run(manifest.run_id, read_params("train")) as (client, run_id):
        version = versions.register(client, run_id, CANDIDATE, scores, test.images[:EXAMPLES])
        write_text(REPORTS / "metrics.json", json.dumps(figures, indent=2) + "\n")
        write_text(REPORTS / runs.DECISION, json.dumps(decision.as_dict(), indent=2) + "\n")
        runs.log_data({"test": test})
        runs.log_evaluation(figures, REPORTS)
        if run_id != manifest.run_id and manifest.git_commit:  # not the current commit
            client.set_tag(run_id, runs.COMMIT, manifest.git_commit)
        client.set_tag(run_id, "mlflow.note.content", note(decision, version))
        cards.keep(client, replace(manifest, version=version, run_id=run_id), REPORTS)
        drawn = reference(candidate, data.plain, on_validation[0].counts, lines, seed)
        client.log_text(run_id, drawn, f"{runs.REPORT}/{REFERENCE}")
        records.keep_model()
        takes_over = decision.promoted and not rival.is_candidate
        if takes_over or rival.version == version:  # the champion itself has a new card and reference
            promote(client, version, decision.sentence, by="evaluate", instead_of=rival.version)
    print(table(decision.rows))
    print(f"evaluate: {summary(figures)}")
    print(f"evaluate: {verdict(decision, version, rival)}", flush=True)


class Rival(NamedTuple):
    """The model that the candidate is compared with: the champion, or the default model if there is none.

    `reader` is None if there is no comparison, because the candidate is already the champion, the champion's
    files are lost, or the rival's training may have seen the current validation pictures. `decided` is the
    earlier decision on a candidate that is already the champion. `version` is the version that must still be
    the champion when the candidate replaces it ("": none; None: any), because the candidate was compared with
    no other. `is_candidate` compares model files, so a new training with the same result counts as the
    champion but gets a version of its own.
    """

    name: str
    folder: Path
    reader: Reader | None
    data: ValidationData
    is_champion: bool = True
    is_candidate: bool = False
    lost: str = ""
    decided: Decision | None = None
    version: str | None = None

    @classmethod
    def of(cls, client: MlflowClient, candidate: Reader, data: ValidationData) -> Rival:
        try:
            served = Reader.load(champion()) if sync(client) else None
        except ModelError as error:
            return cls("the champion", champion(), None, data, lost=str(error))
        if served is None:
            default = Reader.load(DEFAULT_MODEL)  # a test checks that it loads
            kept = data.was_kept_from(default.model.manifest)
            return cls("the default model", DEFAULT_MODEL, default if kept else None, data, False, version="")
        manifest = served.model.manifest
        name = f"version {manifest.version} (the champion)"
        if manifest.sha256 == candidate.model.manifest.sha256:
            again = decided(client)
            return cls(
                name, champion(), None, data, is_candidate=True, decided=again, version=manifest.version
            )
        reader = served if data.was_kept_from(manifest) else None
        return cls(name, champion(), reader, data, version=manifest.version)

    @property
    def learnt(self) -> set[str]:
        """The groups of feedback that the rival was trained on; empty if it is not compared."""
        return set() if self.reader is None else learnt(self.folder)

    def decide(
        self, told: ValidationAnswers, drawn: Sequence[DrawnAnswers], rule: Rule, seed: int
    ) -> Decision:
        """Decide whether the candidate is promoted; `drawn` has the rival's answers if it is compared."""
        if self.is_candidate:
            return self.decided or unopposed(told, rule, "it is already the champion", promoted=False)
        if self.lost:
            sentence = f"the champion cannot be compared ({self.lost}), so the candidate replaces it"
            return unopposed(told, rule, sentence, promoted=True)
        own = None
        if self.reader is not None:
            own = OnValidation.of(self.reader, self.data, drawn[0]).for_gate(self.learnt)
        if self.is_champion:
            return against_champion(told, own, rule, self.name, seed)
        return against_default(told, own, rule, seed)


def feedback(held_back: Accepted) -> dict[str, dict[str, int]]:
    """Return the numbers of marks of accepted feedback for training and validation; {} if there are none."""
    counts = {
        "learnt": Accepted.load(PROCESSED, "train").digits.total,
        "held_back": held_back.digits.total,
    }
    return {"accepted": counts} if any(counts.values()) else {}


def decided(client: MlflowClient) -> Decision | None:
    """Return the decision from when the champion was evaluated; None if its run has no record of it."""
    version = versions.champion_version(client)
    if version is None:
        return None
    with versions.artifacts_of(client, version) as artifacts:
        path = artifacts / runs.REPORT / runs.DECISION
        return Decision.from_dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def write_plots(folder: Path, test: Digits, read: Answers, redrawn: RedrawnAnswers, worst: int) -> None:
    """Write the confusion matrix, training curves, reliability and worst mistakes, and two CSV files."""
    write_text(folder / CURVES, (CANDIDATE / CURVES).read_text(encoding="utf-8"))
    write_csv(folder / "confusion.csv", {"actual": read.truth.tolist(), "predicted": read.digits.tolist()})
    plots.confusion(folder / "confusion.png", read.truth, read.digits)
    plots.curves(folder / "training.png", history(folder / CURVES))
    told = redrawn.confidence > 0  # a rejected digit has no confidence
    sets = {"test": (read.confidence, read.right), "redrawn": (redrawn.confidence[told], redrawn.right[told])}
    plots.reliability(folder / "reliability.png", sets)
    wrong = ~read.right
    shown = (test.images[wrong], read.truth[wrong], read.digits[wrong], read.confidence[wrong])
    plots.mistakes(folder / "mistakes.png", *shown, most=worst)


def history(path: Path) -> dict[str, list[float]]:
    """Read the training curves that `train` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def summary(figures: Mapping[str, Any]) -> str:
    return (
        f"test accuracy {figures['test_accuracy']:.2%} ({figures['test_errors']} mistakes), "
        f"accuracy on canvases {figures['canvas_accuracy']:.2%}"
    )


def verdict(decision: Decision, version: str, rival: Rival) -> str:
    """Return a sentence on which model is served from now on, and why."""
    if rival.is_candidate:
        return f"version {version} is already the champion"
    if decision.promoted:
        which = "new" if rival.is_champion else "first"
        said = f"version {version} is the {which} champion, because {decision.sentence}"
    else:
        said = (
            f"version {version} does not replace {rival.name}, because {decision.sentence}; "
            f"to serve it nevertheless, run `make promote VERSION={version}`"
        )
    if decision.smallest_shown:
        said += (
            f". The smallest improvement that would have been significant is "
            f"{100 * decision.smallest_shown:.3f} points"
        )
    return said


def note(decision: Decision, version: str) -> str:
    """Return the run's description with the decision, in Markdown."""
    promoted = "promoted" if decision.promoted else "not promoted"
    return f"Version {version}: {promoted}, because {decision.sentence}.\n\n{table(decision.rows)}\n"


if __name__ == "__main__":
    sys.exit(main("evaluate", run))
