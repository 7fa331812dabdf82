"""A project on its own small disk, whose commands are killed or find the disk full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.damage.inject.fault import COUNT, Fault

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "mnist-small"
INJECT = Path(__file__).resolve().parent / "inject"
MEGABYTES = 192  # size of the disk; the project has 10


@dataclass(frozen=True)
class Done:
    """How a command ended and its output; `struck` says whether and where the fault was injected."""

    status: int
    said: str
    struck: str = ""


@dataclass(frozen=True)
class Sandbox:
    """A folder with the project. If `mounted`, it is a disk of its own, which a fault may fill."""

    folder: Path
    mounted: bool

    @property
    def project(self) -> Path:
        return self.folder / "a project"

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def said(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.said")

    def restore(self, state: Path | None) -> None:
        """Start again with a copy of a project, or with an empty one."""
        self.ballast.unlink(missing_ok=True)
        for old in (self.project, self.folder / "tmp", self.folder / "cache"):
            shutil.rmtree(old, ignore_errors=True)
        if state is None:
            self.project.mkdir()
        else:
            shutil.copytree(state, self.project, symlinks=True)

    def environment(self) -> dict[str, str]:
        (self.folder / "tmp").mkdir(exist_ok=True)
        return os.environ | {
            "MNIST_DIR": str(SMALL),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(INJECT),
            "PYTHONDONTWRITEBYTECODE": "1",  # bytecode files would count as changes
            "TMPDIR": str(self.folder / "tmp"),
            "DVC_SITE_CACHE_DIR": str(self.folder / "cache"),
            "MLFLOW_TRACKING_URI": "",
            "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "3600",  # they depend on the clock
        }

    def fault(self, where: str, kind: str, at: int, left: int = 0) -> Fault:
        """Return a fault for the project's commands."""
        ballast = str(self.ballast) if self.mounted else ""
        return Fault(where, kind, at, str(self.project), str(self.log), left, ballast)

    def run(self, *arguments: str, fault: Fault | None = None) -> Done:
        """Run `python -m ...` in the project; a full disk is freed afterwards."""
        environment = self.environment()
        if fault is not None:
            self.log.unlink(missing_ok=True)
            environment["FAULT"] = fault.as_json()
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        self.ballast.unlink(missing_ok=True)
        struck = self.log.read_text(encoding="utf-8").strip() if fault and self.log.exists() else ""
        return Done(done.returncode, done.stdout, struck)

    def changes(self, *arguments: str) -> dict[str, int]:
        """Count the file changes of each module in an undisturbed command."""
        done = self.run(*arguments, fault=self.fault("", COUNT, 0))
        assert done.status == 0, done.said
        counted = [json.loads(line) for line in done.struck.splitlines()]
        modules = {
            one["command"][one["command"].index("-m") + 1]: one for one in counted if "-m" in one["command"]
        }
        return {name: int(one["changes"]) for name, one in modules.items()}


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox on a tmpfs, or in a plain folder if it cannot be mounted; FILL then limits file sizes.

    It is not in pytest's folder, because a disk that a killed pytest left there would disturb the next run.
    """
    around = Path(tempfile.mkdtemp(prefix="digits-damage-"))
    folder = around / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    try:
        yield Sandbox(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(around, ignore_errors=True)
