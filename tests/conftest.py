"""Fixtures for many tests, such as one real run of the whole pipeline on a small real subset."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
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


@pytest.fixture(autouse=True, scope="session")
def interrupts_arrive() -> None:
    """Let programs that tests start receive SIGINT, also if the tests run in the background of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def signals_restored() -> Iterator[None]:
    """A command that runs in this process may set signal handlers, which forked processes would inherit."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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
def small_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose four stages have run for real, through `dvc repro`, on the small subset.

    Shared by the whole session: a test that changes it works on a copy.
    """
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder)
    done = repro(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def model_folder(small_project: Path) -> Path:
    """The folder of a real champion, trained on the small subset."""
    return small_project / "models" / "champion"
