"""MLflow's page of the runs: its address, with the columns that are useful at first sight."""

from __future__ import annotations

import json

from mlflow import MlflowClient

from pipeline.project.paths import NAME

COLUMNS = (  # name, age and duration are always there
    "attributes.`Models`",
    "metrics.`score/primary`",
    "metrics.`test/accuracy`",
    "metrics.`handwriting/canvases`",
    "metrics.`handwriting/papers`",
    "tags.`dvc_exp_name`",
)
SHARED = f"mlflow.sharedViewState.{NAME}"
"""The experiment's tag in which MLflow's page looks for a shared view, as its button *Share* writes them."""


def address(client: MlflowClient, server: str) -> str:
    """The page of the experiment's runs at a server ("http://127.0.0.1:5000"), with its columns chosen.

    A later MLflow that knew no such views would show the page with columns of its own.
    """
    experiment = client.get_experiment_by_name(NAME)
    if experiment is None:
        raise RuntimeError(f"The store has no experiment {NAME!r}: connect to it first.")
    client.set_experiment_tag(experiment.experiment_id, SHARED, json.dumps({"selectedColumns": COLUMNS}))
    query = f"workflowType=machine_learning&viewStateShareKey={NAME}"
    return f"{server}/#/experiments/{experiment.experiment_id}/runs?{query}"
