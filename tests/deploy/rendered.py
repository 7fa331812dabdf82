"""The manifests in deploy/, as files and as rendered by kustomize."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
KSERVE = ROOT / "deploy" / "kserve"
BASE = KUBERNETES / "base"
OVERLAYS = sorted(path.parent for path in KUBERNETES.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent for path in KUBERNETES.glob("components/*/kustomization.yaml"))
FOLDERS = [BASE, *OVERLAYS, KSERVE]
"""The folders for `kubectl apply -k`."""

Document = dict[str, Any]


def read(path: Path) -> list[Document]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


@cache
def render(folder: Path) -> list[Document]:
    """The documents that kustomize renders from a folder; skips the test with a message without kustomize."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{folder.relative_to(ROOT)}: {done.stderr}"
            assert not done.stderr, f"kustomize warns: {done.stderr}"
            return list(YAML(typ="safe").load_all(done.stdout))
    pytest.skip("NO KUSTOMIZE: neither `kubectl` nor `kustomize` is installed, so no overlay is rendered")


def with_component(component: Path, scratch: Path) -> list[Document]:
    """The base with only this component, rendered in the folder `scratch`."""
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        f"resources: [{os.path.relpath(BASE, scratch)}]",
        f"components: [{os.path.relpath(component, scratch)}]",
    ]
    (scratch / "kustomization.yaml").write_text("\n".join(lines), encoding="utf-8")
    return render(scratch)


def of_kind(documents: Iterable[Document], kind: str) -> dict[str, Document]:
    """The documents of a kind, by name."""
    return {one["metadata"]["name"]: one for one in documents if one["kind"] == kind}


def pods(documents: Iterable[Document]) -> dict[str, Document]:
    """The pod template of each Deployment, with its `metadata`, `spec` and `name`."""
    return {
        name: one["spec"]["template"] | {"name": name}
        for name, one in of_kind(documents, "Deployment").items()
    }


def containers(pod: Document) -> Iterator[Document]:
    """A pod's containers and sidecars."""
    yield from pod["spec"].get("initContainers", ())
    yield from pod["spec"]["containers"]


def main_container(pod: Document) -> Document:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def selects(selector: Mapping[str, str], pod: Document) -> bool:
    """Whether all labels of a selector are among the pod's."""
    return bool(selector.items() <= pod["metadata"]["labels"].items())


def environment(container: Document, documents: Iterable[Document]) -> dict[str, str]:
    """A container's environment variables; for a secret, the value is the name of its key."""
    maps = of_kind(documents, "ConfigMap")
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= maps[source["configMapRef"]["name"]]["data"]
    for one in container.get("env", ()):
        found[one["name"]] = one["value"] if "value" in one else one["valueFrom"]["secretKeyRef"]["key"]
    return found


def compose() -> dict[str, Document]:
    """The services of docker-compose.yml, with the defaults of its variables."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return dict(YAML(typ="safe").load(text)["services"])
