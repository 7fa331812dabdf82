"""The images of a release, built from its tag with real Docker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.compose.conftest import missing
from tests.compose.stack import docker
from tests.release.repository import ROOT, as_now, told

VERSION = "99.0.0"  # no existing image has this tag
IN_A_POD = {"digits-follower"}
"""Images that Compose does not build."""


@pytest.mark.heavy
def test_images_are_built_from_the_tag_and_labelled_with_its_version_and_commit(tmp_path: Path) -> None:
    if said := missing():
        pytest.skip(said)
    project = tmp_path / "project"
    project.mkdir()
    as_now(project)
    told(sys.executable, "release/tag.py", VERSION, cwd=project)
    commit = told("git", "rev-parse", f"v{VERSION}^{{commit}}", cwd=project).strip()
    (project / "service" / "service.py").write_text("raise SystemExit('not committed')\n")
    compose = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    built = {one["image"].partition(":")[0] for one in compose["services"].values() if "build" in one}
    images = {f"{name}:{VERSION}" for name in built | IN_A_POD}
    done = subprocess.run(["sh", "release/artifacts", f"v{VERSION}"], cwd=project, timeout=1500)
    try:
        assert done.returncode == 0
        listed = (project / "build" / "release" / f"v{VERSION}" / "images.txt").read_text().splitlines()
        assert {line.split()[1] for line in listed} == images
        for image in images:
            (about,) = json.loads(docker("image", "inspect", image))
            labels = about["Config"]["Labels"]
            assert labels["org.opencontainers.image.version"] == VERSION, image
            assert labels["org.opencontainers.image.revision"] == commit, image
        code = "import service.service"
        docker("run", "--rm", f"digits-service:{VERSION}", "python", "-c", code)
    finally:
        subprocess.run(["docker", "rmi", *images], capture_output=True, timeout=120)
