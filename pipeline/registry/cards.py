"""The model cards in MLflow: a version's description, and a page among the artifacts of its run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from digits.network.model import Manifest
from digits.reader import CARD
from pipeline.evaluation.card import Evidence, card, card_html
from pipeline.project.files import write_bytes
from pipeline.project.paths import NAME
from pipeline.registry import runs
from traffic.slots import REFERENCE

BESIDE = (CARD, REFERENCE)
"""Files of a model folder beside the manifest, which `evaluate` leaves among a run's artifacts."""

DESCRIPTION = 5000  # characters of a version's description: what MLflow's column holds

_MORE = f"\n\nThe whole card, with its pictures, is the artifact {runs.REPORT}/{CARD} of the run.\n"


def keep(client: MlflowClient, manifest: Manifest, report: Path) -> None:
    """Make the card of the registered version of `manifest`, once its report is written, or make it anew.

    `report` is the folder of the report: figures, decision and pictures.
    """
    found = evidence(client, manifest, report)
    client.log_text(manifest.run_id, card_html(found, report), f"{runs.REPORT}/{CARD}")
    client.update_model_version(NAME, manifest.version, description(card(found)))


def evidence(client: MlflowClient, manifest: Manifest, report: Path) -> Evidence:
    """What there is to say of a model: its run's parameters and processor, and what `report` holds."""
    run = client.get_run(manifest.run_id).data
    figures = _content(report / "metrics.json") or manifest.metrics
    gate = _content(report / runs.DECISION)
    return Evidence(figures, manifest, run.params, gate, run.tags.get(runs.PROCESSOR, ""))


def description(text: str) -> str:
    """A card's Markdown and where the rest of it is; whole lines of it where it would be too long."""
    room = DESCRIPTION - len(_MORE)
    short = text if len(text) <= room else text[:room].rpartition("\n")[0]
    return short.rstrip() + _MORE


def copy(artifacts: Path, folder: Path, names: Sequence[str] = BESIDE) -> None:
    """Put what `evaluate` made for a model folder there; a run without it leaves none there."""
    for name in names:
        made = artifacts / runs.REPORT / name
        if made.is_file():
            write_bytes(folder / name, made.read_bytes())
        else:
            (folder / name).unlink(missing_ok=True)


def _content(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None without that file."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
