"""Fixtures for many tests, such as one real run of the whole pipeline on a small real subset."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests" / "data" / "mnist-small"
PERSONAL = (
    *("MLFLOW_TRACKING_URI", "DVC_ROOT", "MODEL_DIR", "SERVICE_URL", "API_KEY", "MNIST_DIR"),
    *("ALLOWED_HOSTS", "EMBED_ORIGINS", "PAGE_ROOT_PATH", "SERVICE_ROOT_PATH", "FORWARDED_ALLOW_IPS"),
    *("FEEDBACK_DIR", "FEEDBACK_MOST", "FEEDBACK_MEGABYTES", "FEEDBACK_FREE_MEGABYTES", "TRAFFIC_DIR"),
)
LANES = {
    **dict.fromkeys(("browser", "ui"), "page"),
    **dict.fromkeys(("clients", "cluster", "compose", "damage", "team"), "programs"),
    "pipeline": "pipeline",
}
"""The lanes of folders; all other folders share one more. With pytest-xdist, the tests of a lane run in one
process, one after another, so that tests with the same browser, cluster or containers stay together."""
CODE = ("digits", "feedback", "traffic", "pipeline", "dvc.yaml", "profiles", "pyproject.toml", ".dvcignore")


@pytest.fixture(scope="session", autouse=True)
def no_personal_settings() -> Iterator[None]:
    """Tests must not touch the store, the service or the model of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PERSONAL:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def environment_restored() -> Iterator[None]:
    """`mlflow.set_tracking_uri` also sets a variable, which the processes of later tests would inherit."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def signals_restored() -> Iterator[None]:
    """A command that runs in this process may set signal handlers, which forked processes would inherit."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put each test into its lane (`--dist loadgroup`)."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        item.add_marker(pytest.mark.xdist_group(LANES.get(folder, "rest")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long the tests of each folder in tests/ took."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            folder = Path(report.nodeid.split("::")[0]).parent
            seconds["/".join(folder.parts[:2])] += report.duration
    terminalreporter.section("seconds of each group")
    for group, spent in sorted(seconds.items(), key=lambda one: -one[1]):
        terminalreporter.write_line(f"{spent:7.1f}  {group}")


def copy_project(folder: Path) -> None:
    """Copy the pipeline's code, with parameters for a small run, into a folder that is not a git checkout."""
    for name in CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    shutil.copy2(SMALL / "params.yaml", folder / "params.yaml")
    (folder / "mlruns").mkdir()
    (folder / "data" / "accepted").mkdir(parents=True)
    shutil.copy2(ROOT / "data" / "accepted" / ".gitkeep", folder / "data" / "accepted")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=folder, check=True)


def repro(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `dvc repro` in a project's folder, with the small real subset as MNIST_DIR."""
    environment = {name: value for name, value in os.environ.items() if name not in PERSONAL} | {
        "MNIST_DIR": str(SMALL),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "dvc", "repro", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="session")
def small_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose four stages have run for real, through `dvc repro`, on the small subset.

    All processes of the session share it, so a test that changes it must work on a copy. It is removed with
    pytest's other temporary folders.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, made = shared / "project", shared / "project-made"
    with locked(shared / "project-lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # left by another process in which it failed
            folder.mkdir()
            copy_project(folder)
            done = repro(folder)
            assert done.returncode == 0, done.stdout + done.stderr
            made.touch()
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the file's lock, which only one process of the session can have."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def model_folder(small_project: Path) -> Path:
    """The folder of a real champion, trained on the small subset."""
    return small_project / "models" / "champion"
