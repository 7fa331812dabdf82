"""Locked environments of other tools' clients, in build/clients; recreated when a lock changes.

A Python lock is requirements/clients/NAME.txt, or one of our own (`make lock`). An npm lock is
package-lock.json in the folder NAME: `npm install --package-lock-only --omit-lockfile-registry-resolved`
there brings it up to date.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "clients"
UV = [sys.executable, "-m", "uv"]
_NETWORK = re.compile(r"error sending request|HTTP status server error|timed out")
_OURS = ("EUSAGE", "EINTEGRITY", "EJSONPARSE")
"""npm's error codes for a wrong package.json or lock, which are no network errors."""


def python_programs(name: str, lock: Path | None = None) -> Path:
    """The `bin` folder of a Python client's environment; skips if no registry can be reached.

    `lock`: the lock, if it is not the client's own.
    """
    lock = lock or ROOT / "requirements" / "clients" / f"{name}.txt"
    content = lock.read_bytes()

    def install(folder: Path) -> None:
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        python = str(folder / "bin" / "python")
        hashes = ["--require-hashes"] if b"--hash" in content else []
        _uv("pip", "sync", "--quiet", *hashes, "--python", python, str(lock))

    return _made(name, content, install) / "bin"


def node_modules(name: str) -> Path:
    """The folder of an npm client's packages; skips if npm is missing or no registry can be reached."""
    if shutil.which("npm") is None:
        pytest.skip("NO NPM: install nodejs and npm to test the clients in TypeScript")
    files = [Path(__file__).parent / name / file for file in ("package.json", "package-lock.json")]

    def install(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in files:
            shutil.copy2(file, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        if done.returncode:
            code = re.search(r"^npm \S+ code (\S+)", done.stderr, re.MULTILINE)
            assert code is not None, done.stderr
            assert code[1] not in _OURS, done.stderr
            pytest.skip(f"NO NPM REGISTRY: npm could not install {name} ({code[1]})")

    return _made(name, b"".join(file.read_bytes() for file in files), install) / "node_modules"


def _made(name: str, lock: bytes, install: Callable[[Path], None]) -> Path:
    """An environment's folder; calls `install` if it does not exist for this lock."""
    folder = BUILD / name
    installed = folder / ".installed"
    if not installed.exists() or installed.read_bytes() != lock:
        install(folder)
        installed.write_bytes(lock)
    return folder


def _uv(*arguments: str) -> None:
    done = subprocess.run([*UV, *arguments], capture_output=True, text=True, timeout=600)
    if done.returncode and _NETWORK.search(done.stderr):
        pytest.skip(f"NO PYTHON REGISTRY: {' '.join(done.stderr.split())}")
    assert done.returncode == 0, done.stderr
