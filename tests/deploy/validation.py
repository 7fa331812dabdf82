"""Whether a manifest is one: by Kubernetes's own schemas, and by ours for kinds that others define."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate

from tests.deploy.rendered import Document

OLDEST, NEWEST = "1.29", "1.37"
"""Of the versions of Kubernetes that docs/kubernetes.md names."""
SCHEMAS = Path(__file__).with_name("schemas")
OURS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
OF_THE_PREDICTOR = {
    *("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "containerConcurrency", "timeout", "model"),
    *("canaryTrafficPercent", "labels", "annotations"),
}
"""What an InferenceService's predictor has beside the spec of its pod."""


def validate(document: Document, version: str) -> None:
    """Raises `jsonschema.ValidationError` for an unknown or missing field, or a wrong type."""
    _validate(json.dumps(document), version)


@cache  # most of what an overlay has is in the others, too
def _validate(text: str, version: str) -> None:
    document = json.loads(text)
    kind = document["kind"].lower()
    if kind not in OURS:
        kubernetes_validate.validate(document, version, strict=True)
        return
    jsonschema.Draft202012Validator(OURS[kind]).validate(document)
    if kind == "inferenceservice" and "containers" in document["spec"]["predictor"]:
        predictor = document["spec"]["predictor"]
        spec = {name: value for name, value in predictor.items() if name not in OF_THE_PREDICTOR}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": spec}
        kubernetes_validate.validate(pod, version, strict=True)
