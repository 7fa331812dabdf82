"""Invariants after any fault: nothing is lost, incomplete or left over, and the results are the same."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from digits.errors import ModelError
from digits.network.model import Manifest, Model
from pipeline.reproduction.recorded import weights_sha256

LEFT_OVER = re.compile(r"\.\d+\..+|.+\.(part|tmp|new|temp)|tmp\w{8}")  # patterns of temporary files' names
CACHED = ("fetch", "preprocess")  # stages whose outputs are the same bytes each time
OWN = {"train_seconds", "created", "run_id", "version", "git_commit"}  # not part of a training's result
STAGES = ("fetch", "preprocess", "train", "evaluate")


def troubles(project: Path, reference: Path, stage: str) -> list[str]:
    """Return the problems of a project that ran up to `stage`, compared with an undisturbed one."""
    found = [f"left over: {path}" for path in left_over(project)]
    done = STAGES[: STAGES.index(stage) + 1]
    for name in CACHED:
        if name in done and outputs(project, name) != outputs(reference, name):
            found.append(f"{name} gave other outputs")
    if "train" in done and not same_model(project / "models/candidate", reference / "models/candidate"):
        found.append("the candidate is different")
    if "evaluate" in done:
        told, expected = (plain(folder / "reports" / "metrics.json") for folder in (project, reference))
        found += [
            f"{name}: {told.get(name)}, not {expected[name]}"
            for name in expected
            if told.get(name) != expected[name]
        ]
        found += champion_troubles(project)
    return found + store_troubles(project)


def left_over(project: Path) -> Iterator[Path]:
    """Yield the temporary files in all folders that the pipeline writes."""
    for folder in ("data", "models", "reports", "mlruns"):
        for path in (project / folder).rglob("*"):
            if LEFT_OVER.fullmatch(path.name):
                yield path.relative_to(project)


def outputs(project: Path, stage: str) -> Any:
    """Return the hashes of a stage's outputs in `dvc.lock`."""
    lock = YAML(typ="safe").load((project / "dvc.lock").read_text(encoding="utf-8"))
    return [out["md5"] for out in lock["stages"][stage]["outs"]]


def same_model(one: Path, other: Path) -> bool:
    """Whether two candidates have the same weights, bit for bit, and the same manifest."""
    told, expected = (Manifest.load(folder).as_dict() for folder in (one, other))
    for manifest in (told, expected):
        manifest["metrics"] = {name: value for name, value in manifest["metrics"].items() if name not in OWN}
        for name in (*OWN, "sha256"):  # the ONNX file has names that Keras numbers differently each time
            manifest.pop(name, None)
    mine, theirs = (weights_sha256(folder / "digits.onnx") for folder in (one, other))
    return told == expected and mine == theirs


def plain(path: Path) -> dict[str, Any]:
    """Return a report's metrics without those that differ between trainings."""
    return {
        name: value for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name not in OWN
    }


def champion_troubles(project: Path) -> list[str]:
    """Return the problems of the served model, which must be complete and the registry's champion."""
    try:
        served = Model.load(project / "models" / "champion").manifest
    except ModelError as error:
        return [str(error)]
    named = rows(project, "SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
    return (
        []
        if [(served.version,)] == [(str(version),) for (version,) in named]
        else [f"served {served.version}, named {named}"]
    )


def store_troubles(project: Path) -> list[str]:
    """Return the problems of MLflow's database, which must be intact and without running runs."""
    if not (project / "mlruns" / "mlflow.db").exists():
        return []
    found = [f"database: {told}" for (told,) in rows(project, "PRAGMA integrity_check") if told != "ok"]
    return found + [
        f"run {run} is {status}"
        for run, status in rows(
            project, "SELECT run_uuid, status FROM runs WHERE status NOT IN ('FINISHED', 'KILLED', 'FAILED')"
        )
    ]


def rows(project: Path, query: str) -> list[tuple[Any, ...]]:
    """Query MLflow's database."""
    with closing(sqlite3.connect(project / "mlruns" / "mlflow.db")) as connection:
        return connection.execute(query).fetchall()
