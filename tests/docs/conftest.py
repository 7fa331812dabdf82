"""A checkout in which the commands of the pages are typed: trained on the small subset, and installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import PERSONAL, SMALL
from tests.ports import free_port
from tests.sources import ROOT

NOT_COPIED = (
    *(".git", ".venv", "__pycache__", "cache", "config.local", "tmp", ".*_cache", ".hypothesis", ".env"),
    *("tests", "build", "data", "images", "mlruns", "models", "node_modules"),
)
TRAINED = ("data", "models", "mlruns", "reports", "dvc.lock", "params.yaml", ".dvc/cache")
STAMPS = (".serving", ".ready", ".team")  # of the Makefile, for installed packages
WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


@dataclass
class Checkout:
    """A folder where a person types commands, as after `source .venv/bin/activate`."""

    folder: Path
    port: int
    """The port of services that are started here, in place of 3000."""
    other: dict[str, str] = field(default_factory=dict)
    """Replacements for the names and ids that the pages use as examples."""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in (*PERSONAL, "PYTHONPATH")}
        path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        names = {
            f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        own = {"PATH": path, "MNIST_DIR": str(SMALL), "SERVICE_PORT": str(self.port), "NO_PROXY": "127.0.0.1"}
        return kept | names | own | {"DVC_NO_ANALYTICS": "true"}

    def said(self, command: str, status: int = 0, typed: str = "") -> str:
        """What a command of a page prints; it has to end with this status.

        `typed`: what a person types at a terminal when the command asks; if empty, there is no terminal.
        """
        person, terminal = os.openpty()
        os.write(person, typed.encode())
        try:
            done = subprocess.run(
                ["bash", "-c", self.line(command)],
                cwd=self.folder,
                env=self.environment,
                stdin=terminal if typed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=600,
            )
        finally:
            os.close(person)
            os.close(terminal)
        assert done.returncode == status, f"`{command}` ended with {done.returncode}:\n{done.stdout[-3000:]}"
        return done.stdout

    def line(self, command: str) -> str:
        """The command with this checkout's own port, names and ids."""
        for example, own in {"127.0.0.1:3000": f"127.0.0.1:{self.port}", **self.other}.items():
            command = re.sub(rf"(?<![\w.]){re.escape(example)}(?!\w)", own, command)
        return f'digits() {{ python -m digits "$@"; }}\n{command}'


@pytest.fixture(scope="module")
def checkout(small_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A git checkout of this tree whose four stages have run; no `make` command installs anything in it."""
    folder = tmp_path_factory.mktemp("checkout") / "digits"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    for name in TRAINED:
        source, target = small_project / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name not in STAMPS:
            (folder / ".venv" / path.name).symlink_to(path)
    for name in STAMPS:
        (folder / ".venv" / name).touch()
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*WHO, "commit", "-q", "-m", "A checkout")):
        subprocess.run(["git", *command], cwd=folder, check=True)
    yield Checkout(folder, free_port())
    shutil.rmtree(folder, ignore_errors=True)
