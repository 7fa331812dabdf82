"""Kubernetes accepts every file and overlay, in the oldest and the newest version that we support."""

from __future__ import annotations

import copy
from pathlib import Path

import jsonschema
import pytest

from tests.deploy.rendered import (
    COMPONENTS,
    FOLDERS,
    KSERVE,
    KUBERNETES,
    ROOT,
    of_kind,
    read,
    render,
    with_component,
)
from tests.deploy.validation import NEWEST, OLDEST, OURS, validate

NO_MANIFESTS = {"kustomization.yaml", "prometheus-adapter.yaml"}
VERSIONS = [OLDEST, NEWEST, *(pytest.param(f"1.{n}", marks=pytest.mark.heavy) for n in range(30, 37))]
FILES = [
    path
    for folder in (KUBERNETES, KSERVE)
    for path in sorted(folder.rglob("*.yaml"))
    if path.name not in NO_MANIFESTS and not path.name.endswith(".patch.yaml")
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "deploy"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_overlay_is_valid(folder: Path, version: str) -> None:
    documents = render(folder)
    assert documents
    for document in documents:
        validate(document, version)


@pytest.mark.parametrize("component", COMPONENTS, ids=name)
def test_each_component_works_without_the_others(component: Path, tmp_path: Path) -> None:
    documents = with_component(component, tmp_path)
    assert documents != render(FOLDERS[0])
    for document in documents:
        validate(document, NEWEST)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", FILES, ids=name)
def test_file_is_valid_by_itself(path: Path, version: str) -> None:
    for document in read(path):
        validate(document, version)


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_nothing_is_there_twice(folder: Path) -> None:
    names = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in render(folder)
    ]
    assert len(names) == len(set(names))


def test_every_schema_of_ours_is_used() -> None:
    kinds = {document["kind"].lower() for path in FILES for document in read(path)}
    assert OURS.keys() <= kinds


def test_a_misspelt_field_is_found_in_each_kind() -> None:
    for path in FILES:
        for document in read(path):
            wrong = copy.deepcopy(document)
            wrong["spce"] = {}
            with pytest.raises(jsonschema.ValidationError):
                validate(wrong, NEWEST)


def test_a_misspelt_field_of_a_pod_is_found() -> None:
    deployment = copy.deepcopy(of_kind(render(FOLDERS[0]), "Deployment")["digits-service"])
    deployment["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
    with pytest.raises(jsonschema.ValidationError):
        validate(deployment, NEWEST)
    (inference,) = read(KSERVE / "service.yaml")
    inference["spec"]["predictor"]["containers"][0]["port"] = 3000
    with pytest.raises(jsonschema.ValidationError):
        validate(inference, NEWEST)
