"""Database rows of runs and versions without a record, reconstructed from their artifacts.

This applies to runs that are older than the records and whose database is lost too.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from digits.errors import ModelError
from digits.network.model import Manifest
from digits.reader import CARD
from pipeline.project.paths import CURVES, NAME, artifacts, champion, store
from pipeline.registry import metric_names, runs
from pipeline.registry.records import Rows
from pipeline.registry.versions import CANDIDATE_FILES

NUMBER = re.compile(r"version (\d+)</h1>")  # in the card of a version


def rows_of_other_runs(known: Collection[str]) -> Rows:
    """Return the rows of every run and version that left a model folder, except for the runs in `known`."""
    found: Rows = {"registered_models": []}
    models = _logged_models()
    for folder in sorted(Path(store(), "artifacts").glob(f"*/artifacts/{CANDIDATE_FILES}")):
        run_id = folder.parents[1].name
        if run_id in known:
            continue
        with suppress(ModelError, ValueError):  # not a model, or a manifest without a time
            _add(found, run_id, folder, Manifest.load(folder), models.get(run_id))
    if found.get("model_versions"):
        found["registered_models"].append({"name": NAME, "description": "Handwritten digits, 28x28 pixels"})
    return found


def _add(found: Rows, run_id: str, folder: Path, manifest: Manifest, model: str | None) -> None:
    end = int(datetime.fromisoformat(manifest.created).timestamp() * 1000)
    report = folder.parent / runs.REPORT
    tags = {
        "mlflow.runName": f"restored {run_id[:8]}",
        runs.COMMIT: manifest.git_commit,
        "mlflow.note.content": "Restored only from its artifacts.",
    }
    of_run: dict[str, list[dict[str, Any]]] = {
        "runs": [
            {
                "name": tags["mlflow.runName"],
                "source_type": "UNKNOWN",
                "status": "FINISHED",
                "start_time": end - int(1000 * manifest.metrics.get("train_seconds", 0)),
                "end_time": end,
                "lifecycle_stage": "active",
                "artifact_uri": f"{artifacts()}/{run_id}/artifacts",
                "experiment_id": 0,
            }
        ],
        "tags": [{"key": key, "value": value} for key, value in tags.items() if value],
        "params": [
            {"key": name, "value": f"{manifest.metrics[name]:.0f}"}
            for name in ("seed", "epochs")
            if name in manifest.metrics
        ],
        "metrics": _metrics(report, folder / CURVES, end),
    }
    of_run["latest_metrics"] = list({row["key"]: row for row in of_run["metrics"]}.values())
    for table, rows in of_run.items():
        found.setdefault(table, []).extend({**row, "run_uuid": run_id} for row in rows)
    version = _version(run_id, report / CARD)
    if version and model:
        address = f"{artifacts()}/models/{model}/artifacts"
        logged = {"model_id": model, "name": "onnx", "artifact_location": address, "experiment_id": 0}
        times = {"creation_timestamp_ms": end, "last_updated_timestamp_ms": end}
        state = {"status": 2, "lifecycle_stage": "active", "source_run_id": run_id}
        found.setdefault("logged_models", []).append(logged | times | state)
        of_version = {"name": NAME, "version": version, "run_id": run_id, "source": f"models:/{model}"}
        state = {"status": "READY", "current_stage": "None", "storage_location": address}
        times = {"creation_time": end, "last_updated_time": end}
        found.setdefault("model_versions", []).append(of_version | times | state)


def _metrics(report: Path, curves: Path, when: int) -> list[dict[str, Any]]:
    """Return the rows of a run's metrics and of its curves, which have an epoch as step."""
    told: list[tuple[str, float, int]] = []
    with suppress(OSError), curves.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            epoch = int(row.pop("epoch"))
            values = {name: float(value) for name, value in row.items()}
            told += [(key, value, epoch) for key, value in metric_names.epoch_metrics(values).items()]
    with suppress(OSError):
        figures: Mapping[str, Any] = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        told += [(key, value, 0) for key, value in metric_names.evaluation_metrics(figures).items()]
    return [
        {"key": key, "value": value, "step": step, "timestamp": when, "is_nan": 0}
        for key, value, step in told
    ]


def _version(run_id: str, card: Path) -> int | None:
    """Return the number of a run's version, from the champion's manifest or the run's card; else None."""
    with suppress(ModelError):
        served = Manifest.load(champion())
        if served.run_id == run_id and served.version.isdecimal():
            return int(served.version)
    with suppress(OSError):
        if told := NUMBER.search(card.read_text(encoding="utf-8")):
            return int(told[1])
    return None


def _logged_models() -> dict[str, str]:
    """Return the MLflow model id of each run that logged a model."""
    found = {}
    for path in Path(store(), "artifacts", "models").glob("*/artifacts/MLmodel"):
        with suppress(YAMLError, ValueError, AttributeError):  # damaged by a kill
            told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
            found[str(told.get("run_id"))] = path.parents[1].name
    return found
