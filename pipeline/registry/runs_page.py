"""The URL of MLflow's page of runs, with a useful selection of columns."""

from __future__ import annotations

import json

from mlflow import MlflowClient

from pipeline.project.paths import NAME

COLUMNS = (  # name, age and duration are always shown
    "attributes.`Models`",
    "metrics.`score/primary`",
    "metrics.`test/accuracy`",
    "metrics.`handwriting/canvases`",
    "metrics.`handwriting/papers`",
    "tags.`dvc_exp_name`",
)
SHARED = f"mlflow.sharedViewState.{NAME}"
"""The experiment's tag with a shared view, in the format that the button *Share* of MLflow's UI writes."""


def address(client: MlflowClient, server: str) -> str:
    """Return the URL of the experiment's runs on a server ("http://127.0.0.1:5000") with selected columns.

    A version of MLflow without shared views would show its default columns.
    """
    experiment = client.get_experiment_by_name(NAME)
    if experiment is None:
        raise RuntimeError(f"The store has no experiment {NAME!r}. Connect to it first.")
    client.set_experiment_tag(experiment.experiment_id, SHARED, json.dumps({"selectedColumns": COLUMNS}))
    query = f"workflowType=machine_learning&viewStateShareKey={NAME}"
    return f"{server}/#/experiments/{experiment.experiment_id}/runs?{query}"
