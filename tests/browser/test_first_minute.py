"""`make run` in a fresh copy: the page answers before the training ends, and then the new model does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.hand import answer, clear, draw
from tests.browser.processes import ROOT
from tests.ports import free_port

SMALL = Path("tests/data/mnist-small")
WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
MADE = (".git", ".venv", "__pycache__", "artifacts", "build", "cache", "config.local", "data", "tmp")
NOT_IN_A_CLONE = shutil.ignore_patterns(*MADE, "mlruns", ".*_cache", "node_modules")

pytestmark = pytest.mark.timeout(1200)  # everything is installed, and a model is trained


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone of the tree as it is, uncommitted changes too, with the parameters of the small real subset."""
    folder = tmp_path_factory.mktemp("clone") / "digits"
    shutil.copytree(ROOT, folder, ignore=NOT_IN_A_CLONE)
    shutil.copytree(ROOT / SMALL, folder / SMALL, dirs_exist_ok=True)
    shutil.rmtree(folder / "models", ignore_errors=True)
    for name in ("models", "mlruns"):
        (folder / name).mkdir()
    shutil.copy2(folder / SMALL / "params.yaml", folder / "params.yaml")
    for command in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*WHO, "commit", "--quiet", "--message", "A clone"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=False)  # 60,000 files: shutil.rmtree takes much longer


class Run:
    """A running `make run` and its output so far."""

    def __init__(self, folder: Path, log: Path, page_url: str) -> None:
        self._folder, self._log, self.page_url = folder, log, page_url
        self.began = time.monotonic()

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def seconds_until(self, true: Callable[[], object], limit: float) -> float:
        """Wait until the check holds; returns the seconds since the start."""
        while not true():
            assert time.monotonic() - self.began < limit, self.said[-5000:]
            time.sleep(0.1)
        return time.monotonic() - self.began

    def processes(self) -> list[psutil.Process]:
        """All processes whose working directory is in the copy."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(self._folder):
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found


@contextmanager
def make_run(folder: Path, log: Path) -> Iterator[Run]:
    """Run `make run`, and end it with Ctrl-C, after which no process may be left."""
    service, page = free_port(), free_port()
    environment = os.environ | {
        "MNIST_DIR": str(folder / SMALL),
        "SERVICE_PORT": str(service),
        "PAGE_PORT": str(page),
        "PYTHONPATH": "",
        "UV_COMPILE_BYTECODE": "0",  # 15,000 files, a minute and more, of which these tests import a few
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Run(folder, log, f"http://127.0.0.1:{page}/")
    try:
        yield run
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        assert not run.processes(), run.said[-3000:]
    finally:
        for left in run.processes():
            left.kill()
        process.kill()


def test_make_run_answers_first_and_trains_beside(
    clone: Path, context: BrowserContext, artifacts: Path, tmp_path: Path
) -> None:
    with make_run(clone, tmp_path / "log") as run:
        run.seconds_until(lambda: "Draw now" in run.said, 300)
        page = context.new_page()
        page.goto(run.page_url)
        page.wait_for_selector("[data-ready]")
        draw(page, 7)
        assert answer(page) == "7"
        first = time.monotonic() - run.began
        assert "first champion" not in run.said, "the training has ended already"
        expect(page.locator("#about-name")).to_contain_text("Default model")
        page.screenshot(path=artifacts / "first-minute.png")
        assert len([*(clone / "build").glob("bentoml-*")]) == 1, "a home for this port alone"

        own = run.seconds_until(lambda: "is the first champion" in run.said, 900)
        expect(page.locator("#about-name")).to_contain_text("Model 1", timeout=15_000)
        assert page.locator("#big").get_attribute("data-text") == "7", "the drawing stays"
        clear(page)
        draw(page, 4)
        assert answer(page) == "4"
        page.screenshot(path=artifacts / "first-minute-own-model.png")
        run.seconds_until(lambda: "The pipeline has finished" in run.said, 1000)
    said = f"make run: {first:.0f} s to the first answer, {own:.0f} s to the new model (small subset)"
    (artifacts / "first-minute.txt").write_text(said + "\n", encoding="utf-8")


@pytest.mark.heavy
def test_make_run_again_repeats_nothing(
    clone: Path, artifacts: Path, tmp_path: Path, chromium: Browser
) -> None:
    """Follows the test above; `chromium` is a parameter only so that both tests run or neither."""
    assert chromium.is_connected()
    with make_run(clone, tmp_path / "log") as run:
        again = run.seconds_until(lambda: "Draw now" in run.said, 60)
        run.seconds_until(lambda: "The pipeline has finished" in run.said, 120)
        assert "Installing" not in run.said
        assert "Running stage" not in run.said
        assert re.search(r"champion: version 1 \(", run.said)
    with (artifacts / "first-minute.txt").open("a", encoding="utf-8") as file:
        file.write(f"make run again: {again:.0f} s to ready\n")


@pytest.mark.heavy
def test_ctrl_c_while_it_trains_and_make_run_again(clone: Path, tmp_path: Path, chromium: Browser) -> None:
    """A changed parameter starts a new training, which is stopped half-way and resumed."""
    assert chromium.is_connected()
    params = clone / "params.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace("  seed: 1\n  resume", "  seed: 2\n  resume")
    )
    with make_run(clone, tmp_path / "first") as run:
        run.seconds_until(lambda: "epoch  4/16" in run.said, 200)
    with make_run(clone, tmp_path / "second") as run:
        run.seconds_until(lambda: "The pipeline has finished" in run.said, 400)
        assert re.search(r"resuming after epoch \d+", run.said)


def test_make_run_without_training_only_serves(
    clone: Path, tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chromium.is_connected()
    monkeypatch.setenv("TRAIN", "0")
    with make_run(clone, tmp_path / "log") as run:
        run.seconds_until(lambda: "Ready after" in run.said, 60)
        time.sleep(3)
        assert "pipeline" not in run.said.partition("Ready after")[2]
