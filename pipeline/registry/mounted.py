"""Artifacts in a container, where the project has another path than in MLflow's database.

The database has absolute addresses, from the host or from a container that was started first. Commands on the
host correct them for the host (`pipeline/registry/relocation.py`). Containers do not change them and look for
the same files below their own path. Neither side therefore changes an address that the other is about to
open. MLflow finds this class through an entry point in the folder `plugin`, which docker-compose.yml adds to
PYTHONPATH.
"""

# See docs/decisions/artifact-addresses.md.
from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from pipeline.project.paths import artifacts

STORE = r"(?:file://)?/[^\"]*?/mlruns/artifacts"
"""A pattern for the address of a project's artifact folder, including Windows (`file:///C:/...`)."""

_BEGINNING = re.compile(rf"{STORE}(?=/|$)")


def is_ours(store: str) -> bool:
    """Whether an address that matches `STORE` means this project's artifacts and not another folder."""
    path = unquote(urlsplit(store).path)
    return path == unquote(urlsplit(artifacts()).path) or not Path(path).is_dir()


def here(address: str) -> str:
    """Return the address of the same artifacts here; addresses outside the project stay as they are."""
    found = _BEGINNING.match(address)
    return artifacts() + address[found.end() :] if found and is_ours(found[0]) else address


class MountedArtifactRepository(LocalArtifactRepository):
    """MLflow's local artifact repository, which finds the project's artifacts where they are mounted."""

    def __init__(
        self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
    ) -> None:
        super().__init__(here(artifact_uri), tracking_uri, registry_uri)
