"""Clients that are generated from the running service's `/docs.json` get typed answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.environments import node_modules, python_programs
from tests.clients.guide import follow

ANSWER = r"7 7 \[ ?\d+, \d+, \d+, \d+ ?\]\n"
"""The digit, the text that is read, and a box: what the guide's programs print."""


def test_openapi_python_client_generates_all_of_it_and_calls(folder: Path, address: str) -> None:
    programs = python_programs("openapi-python-client")
    said = follow("Python, generated", folder, address, programs)
    assert "warning" not in (said.stdout + said.stderr).replace("--fail-on-warning", "").lower()
    assert re.search(f"^{ANSWER}", said.stdout, re.MULTILINE), said.stdout
    modules = {path.stem for path in (folder / "digits-client").rglob("api/*/*.py")}
    assert {"predict", "read", "explain", "predict_batch", "get_model", "v2_models_digits_infer"} <= modules


@pytest.mark.heavy
def test_program_with_a_generated_python_client_passes_type_checks(folder: Path, address: str) -> None:
    programs = python_programs("openapi-python-client")
    follow("Python, generated", folder, address, programs)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "ask.py"]
    command += ["--python-executable", str(programs / "python")]
    environment = os.environ | {"MYPYPATH": "digits-client", "MYPY_CACHE_DIR": "cache"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("heading", "environment"), [("TypeScript, typed", "typescript"), ("TypeScript, generated", "orval")]
)
def test_typescript_compiles_strictly_and_calls(
    heading: str, environment: str, folder: Path, address: str
) -> None:
    modules = node_modules(environment)
    (folder / "node_modules").symlink_to(modules)
    said = follow(heading, folder, address, modules / ".bin")
    assert "warn" not in (said.stdout + said.stderr).lower()
    assert re.search(f"^{ANSWER}", said.stdout, re.MULTILINE), said.stdout
    program = (folder / "ask.mts").read_text(encoding="utf-8")
    (folder / "wrong.mts").write_text(program.replace("digit: number |", "digit: string |"), encoding="utf-8")
    command = [str(modules / ".bin" / "tsc"), "--strict", "--noEmit", "--target", "es2022"]
    command += ["--module", "nodenext", "--types", "node", "wrong.mts"]
    wrong = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert "TS2322" in wrong.stdout, "a number is not a string, so the answer is typed"
