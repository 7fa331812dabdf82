"""The merged compose files, as Compose reads them, without starting a container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


IMAGES = {
    "pipeline": "pipeline",
    "service": "service",
    "page": "ui",
    "folders": "containers",
    "database": "containers/database",
    "prometheus": "containers/monitoring",
}
"""The folder of the Dockerfile of each service whose image is built."""


def merged(*files: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The services of these files, merged and interpolated by Compose in `folder`."""
    named = [part for file in files for part in ("-f", file)]
    try:
        done = subprocess.run(
            ["docker", "compose", "--profile", "team", "--profile", "monitoring", *named, "config"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
    except OSError:
        pytest.skip("NO DOCKER: `docker compose` does not work, so the compose files are not checked")
    if done.returncode:
        pytest.skip(f"NO COMPOSE: `docker compose config` does not work: {done.stderr[:200]}")
    return dict(YAML(typ="safe").load(done.stdout)["services"])


def test_feedback_is_off_in_compose_and_a_second_file_adds_one_folder() -> None:
    plain = merged("docker-compose.yml")
    kept = merged("docker-compose.yml", "docker-compose.feedback.yml")
    assert "FEEDBACK" not in str(plain)
    assert set(plain) == set(kept)
    before, after = plain["service"], kept["service"]
    (added,) = [volume for volume in after["volumes"] if volume not in before["volumes"]]
    assert (added["source"], added["target"]) == (str(ROOT / "data" / "feedback"), "/feedback")
    assert after["environment"]["FEEDBACK_DIR"] == "/feedback"
    for right in ("user", "read_only", "cap_drop", "security_opt", "tmpfs", "mem_limit", "pids_limit"):
        assert after[right] == before[right], right


def test_compose_works_in_any_folder_and_without_pwd(tmp_path: Path) -> None:
    """PowerShell and some programs do not set PWD, or set a wrong one."""
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    shutil.copy2(ROOT / "docker-compose.yml", checkout)
    (checkout / ".env").write_text("TAG=mine\n")
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = [
        merged("docker-compose.yml", folder=checkout, environment=bare),
        merged(
            str(checkout / "docker-compose.yml"), folder=tmp_path, environment=bare | {"PWD": str(tmp_path)}
        ),
        merged("../docker-compose.yml", folder=_made(checkout / "docs"), environment=bare | {"PWD": "/"}),
    ]
    for services in told:
        assert services == told[0]
        assert services["service"]["image"] == "digits-service:mine"
        for name in ("pipeline", "mlflow", "follower"):
            service = services[name]
            assert service["working_dir"] == "/project", name
            assert service["environment"]["PROJECT_IS_MOUNTED"] == "1", name
            for volume in service["volumes"]:
                inside = Path(volume["target"]).relative_to("/project")
                assert volume["source"] == str(checkout / inside), name


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("base", ["python@sha256:" + "0a" * 32, "python:3.11-slim@sha256:" + "0a" * 32])
def test_base_may_be_given_by_its_digest(base: str) -> None:
    given = {"BASE": base, "IMAGE_VERSION": "4.5.6", "IMAGE_REVISION": "1234abc"}
    services = merged("docker-compose.yml", environment=os.environ | given)
    built = {name: service["build"] for name, service in services.items() if "build" in service}
    assert built.keys() == IMAGES.keys()
    for name, build in built.items():
        assert build["args"]["BASE"] == base, name
        assert (build["args"]["VERSION"], build["args"]["REVISION"]) == ("4.5.6", "1234abc"), name
        assert build["dockerfile"] == f"{IMAGES[name]}/Dockerfile"


@pytest.mark.parametrize("folder", [*IMAGES.values(), "containers/follower"])
def test_images_say_what_they_are(folder: str) -> None:
    """With OCI labels, including those of the base, which would otherwise apply to our images."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / folder / "Dockerfile").read_text(encoding="utf-8")
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]+)"', text))
    assert labels["title"].startswith("digits-")
    assert len(labels["description"]) > 20
    assert labels["licenses"] == project["license"]
    given = [labels[name] for name in ("version", "revision", "source", "base.name")]
    assert given == ["${VERSION}", "${REVISION}", "${SOURCE}", "${BASE}"]
    assert '\nARG VERSION="" REVISION="" SOURCE=""\n' in text
    _, _, stage = text.partition("FROM ${BASE}")
    assert "\nARG BASE\n" in stage, "an ARG before FROM is unknown after it"
