"""Checks manifests against Kubernetes's own schemas, and kinds from other projects against our schemas.

Kubernetes's schemas are in the package kubernetes-validate, which has 17,000 files and is therefore in an
environment of its own.
"""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import cache
from pathlib import Path

import jsonschema

from tests.clients.environments import python_programs
from tests.deploy.rendered import Document

OLDEST, NEWEST = "1.29", "1.37"
"""The oldest and the newest version of Kubernetes in docs/kubernetes.md."""
PROGRAM = Path(__file__).with_name("kubernetes_schemas.py")
SCHEMAS = Path(__file__).with_name("schemas")
OURS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
OF_THE_PREDICTOR = {
    *("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "containerConcurrency", "timeout", "model"),
    *("canaryTrafficPercent", "labels", "annotations"),
}
"""Fields of an InferenceService's predictor that are not part of its pod's spec."""


def validate(document: Document, version: str) -> None:
    """Raise `jsonschema.ValidationError` for an unknown or missing field, or a wrong type.

    Skips the test if the environment does not exist yet and no package registry can be reached.
    """
    _validate(json.dumps(document), version)


@cache  # overlays have most documents in common
def _validate(text: str, version: str) -> None:
    document = json.loads(text)
    kind = document["kind"].lower()
    if kind not in OURS:
        _validate_by_kubernetes(document, version)
        return
    jsonschema.Draft202012Validator(OURS[kind]).validate(document)
    if kind == "inferenceservice" and "containers" in document["spec"]["predictor"]:
        predictor = document["spec"]["predictor"]
        spec = {name: value for name, value in predictor.items() if name not in OF_THE_PREDICTOR}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": spec}
        _validate_by_kubernetes(pod, version)


def _validate_by_kubernetes(manifest: Document, version: str) -> None:
    process = _program()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"manifest": manifest, "version": version}) + "\n")
    process.stdin.flush()
    if wrong := json.loads(process.stdout.readline()):
        raise jsonschema.ValidationError(wrong)


@cache
def _program() -> subprocess.Popen[str]:
    """The process that checks against Kubernetes's schemas, started once per session."""
    python = python_programs("kubernetes-validate") / "python"
    process = subprocess.Popen([python, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)  # it exits at the end of its input
    return process
