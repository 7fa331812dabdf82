"""Starts the project once for all tests of this folder. Without Docker, these are skipped with a message."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browser.conftest import ARTIFACTS, artifacts, chromium, context, warm  # noqa: F401 (fixtures)
from tests.compose.stack import IMAGES, ROOT, TAG, Stack, copy_of_project, docker, wait_until


def missing() -> str | None:
    """The reason why Docker cannot be used, or None."""
    for command in (["docker", "compose", "version"], ["docker", "info"]):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return f"NO DOCKER: `{' '.join(command)}` does not work, so docker-compose.yml stays untested"
    return None


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A fresh clone after `docker compose up --build`; its containers, volumes and networks are removed.

    The images stay, because their layers speed up the next build.
    """
    if said := missing():
        pytest.skip(said)
    folder = tmp_path_factory.mktemp("compose") / "a clone"  # with a space in its name, as some people have
    copy_of_project(folder)
    stack = Stack(folder)
    before = _image_ids()
    try:
        began = time.monotonic()
        stack.compose("build", seconds=1500)
        built = time.monotonic()
        with ThreadPoolExecutor() as beside:  # `up` itself returns when the last container has started
            answered = beside.submit(wait_until, stack.answers, 600)
            stack.compose("up", "-d", seconds=900)
        said = f"compose: built in {built - began:.0f} s, page and service up after {answered.result():.0f} s"
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / "compose.txt").write_text(said + "\n", encoding="utf-8")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans")
        _remove(before - _image_ids())
    assert not any(stack.left().values()), stack.left()


@pytest.fixture(scope="session")
def monitoring() -> str:
    """The image of Prometheus and Alertmanager, built from this checkout."""
    if said := missing():
        pytest.skip(said)
    image = f"digits-monitoring:{TAG}"
    before = _image_ids()
    done = subprocess.run(
        ["docker", "build", "-q", "-t", image, "-f", "containers/monitoring/Dockerfile", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    _remove(before - _image_ids())
    return image


@pytest.fixture(scope="session")
def trained(stack: Stack) -> None:
    """The stack after its pipeline has ended, with the new model in service."""
    wait_until(lambda: stack.model() == "1", 900)
    wait_until(lambda: not stack.containers("pipeline")[0]["State"]["Running"], 60)


@pytest.fixture
def replicas(stack: Stack, trained: None) -> None:  # noqa: ARG001 (no second pipeline next to the first)
    """The stack with three healthy replicas of the service."""
    stack.compose("up", "-d", "--scale", "service=3")
    wait_until(stack.healthy, 120)


def _image_ids() -> set[str]:
    return {line for name in IMAGES for line in docker("images", "-q", "--no-trunc", name).split()}


def _remove(replaced: set[str]) -> None:
    """Remove the images that lost their tags to this session's builds, unless they are in use."""
    for image in replaced:
        subprocess.run(["docker", "rmi", image], capture_output=True, timeout=120)
