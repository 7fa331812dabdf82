"""What has to be so after any damage: nothing lost, nothing half, nothing left over, and the same results."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ruamel.yaml import YAML

from digits.errors import ModelError
from digits.network.model import Manifest, Model

LEFT_OVER = re.compile(r"\.\d+\..+|.+\.(part|tmp|new|temp)|tmp\w{8}")  # names of temporary files
CACHED = ("fetch", "preprocess")  # stages whose outputs are the same bytes each time
OWN = {"train_seconds", "created", "run_id", "version", "git_commit"}  # of each training, not of its result
STAGES = ("fetch", "preprocess", "train", "evaluate")


def troubles(project: Path, reference: Path, stage: str) -> list[str]:
    """What is wrong with a project whose pipeline ran up to `stage`, beside one that was never disturbed."""
    found = [f"left over: {path}" for path in left_over(project)]
    done = STAGES[: STAGES.index(stage) + 1]
    for name in CACHED:
        if name in done and outputs(project, name) != outputs(reference, name):
            found.append(f"{name} gave other outputs")
    if "train" in done and not same_model(project / "models/candidate", reference / "models/candidate"):
        found.append("the candidate is another")
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
    """Temporary files, wherever the pipeline writes. A checkpoint goes with the training that it is of."""
    for folder in ("data", "models", "reports", "mlruns"):
        for path in (project / folder).rglob("*"):
            if LEFT_OVER.fullmatch(path.name):
                yield path.relative_to(project)


def outputs(project: Path, stage: str) -> Any:
    """The hashes of a stage's outputs, by `dvc.lock`."""
    lock = YAML(typ="safe").load((project / "dvc.lock").read_text(encoding="utf-8"))
    return [out["md5"] for out in lock["stages"][stage]["outs"]]


def same_model(one: Path, other: Path) -> bool:
    """Whether two candidates have the same weights, bit for bit, and say the same of themselves."""
    told, expected = (Manifest.load(folder).as_dict() for folder in (one, other))
    for manifest in (told, expected):
        manifest["metrics"] = {name: value for name, value in manifest["metrics"].items() if name not in OWN}
        for name in (*OWN, "sha256"):  # the ONNX file holds names that Keras numbers anew
            manifest.pop(name, None)
    weights = [
        [onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(folder / "digits.onnx").graph.initializer]
        for folder in (one, other)
    ]
    return told == expected and all(
        np.array_equal(mine, theirs) for mine, theirs in zip(*weights, strict=True)
    )


def plain(path: Path) -> dict[str, Any]:
    """A report's figures without those that are each training's own."""
    return {
        name: value for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name not in OWN
    }


def champion_troubles(project: Path) -> list[str]:
    """Whether the served model is whole, and the one that the registry names."""
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
    """Whether MLflow's database is whole, and no run is said to be running."""
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
    """What MLflow's database answers."""
    with closing(sqlite3.connect(project / "mlruns" / "mlflow.db")) as connection:
        return connection.execute(query).fetchall()
