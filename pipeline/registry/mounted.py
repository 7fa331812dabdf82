"""Artifacts in a container, where the project has another path than MLflow's database says.

The database holds absolute addresses, as the host has them or a container that was there first. Commands of
the host put them right for the host (`pipeline/registry/relocation.py`); containers leave them as they are,
and look for the same files below their own path. So neither side changes what the other is about to open.
MLflow finds this class by an entry point of the folder `plugin`, which docker-compose.yml puts on PYTHONPATH.
"""

# Why it is so: docs/decisions/artifact-addresses.md
from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from pipeline.project.paths import artifacts

STORE = r"(?:file://)?/[^\"]*?/mlruns/artifacts"
"""The folder of a project's artifacts as an address of a file names it, also one of Windows (`file:///C:/...`)."""

_BEGINNING = re.compile(rf"{STORE}(?=/|$)")


def is_ours(store: str) -> bool:
    """Whether an address that matches `STORE` means this project's artifacts: not where another folder is."""
    path = unquote(urlsplit(store).path)
    return path == unquote(urlsplit(artifacts()).path) or not Path(path).is_dir()


def here(address: str) -> str:
    """The address of the same artifacts in this place; others than the project's stay as they are."""
    found = _BEGINNING.match(address)
    return artifacts() + address[found.end() :] if found and is_ours(found[0]) else address


class MountedArtifactRepository(LocalArtifactRepository):
    """MLflow's artifacts as files, with the project's own in the place where it is mounted."""

    def __init__(
        self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
    ) -> None:
        super().__init__(here(artifact_uri), tracking_uri, registry_uri)
