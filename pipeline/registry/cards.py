"""Model cards in MLflow: the description of a version, and an HTML artifact of its run."""

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
"""Files of a model folder, next to the manifest. `evaluate` logs them as artifacts of a run."""

DESCRIPTION = 5000  # characters; the limit of MLflow's column for a version's description

_MORE = f"\n\nThe whole card, with its pictures, is the artifact {runs.REPORT}/{CARD} of the run.\n"


def keep(client: MlflowClient, manifest: Manifest, report: Path) -> None:
    """Create or replace the card of the registered version of `manifest`.

    `report` is the folder of the finished report: metrics, decision and plots.
    """
    found = evidence(client, manifest, report)
    client.log_text(manifest.run_id, card_html(found, report), f"{runs.REPORT}/{CARD}")
    client.update_model_version(NAME, manifest.version, description(card(found)))


def evidence(client: MlflowClient, manifest: Manifest, report: Path) -> Evidence:
    """Collect the sources of a model's card from its run and from `report`."""
    run = client.get_run(manifest.run_id).data
    figures = _content(report / "metrics.json") or manifest.metrics
    gate = _content(report / runs.DECISION)
    return Evidence(figures, manifest, run.params, gate, run.tags.get(runs.PROCESSOR, ""))


def description(text: str) -> str:
    """Return a card's Markdown, cut to whole lines if it is too long, and a reference to the whole card."""
    room = DESCRIPTION - len(_MORE)
    short = text if len(text) <= room else text[:room].rpartition("\n")[0]
    return short.rstrip() + _MORE


def copy(artifacts: Path, folder: Path, names: Sequence[str] = BESIDE) -> None:
    """Copy the files that `evaluate` made to a model folder, and remove files there that the run lacks."""
    for name in names:
        made = artifacts / runs.REPORT / name
        if made.is_file():
            write_bytes(folder / name, made.read_bytes())
        else:
            (folder / name).unlink(missing_ok=True)


def _content(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None if there is no such file."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
