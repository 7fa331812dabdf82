"""`pip install .` in a real environment gives a reader that works in any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.drawing import drawing, picture

ROOT = Path(__file__).resolve().parent.parent
UV = [sys.executable, "-m", "uv"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("digits", "pyproject.toml", "README.md", "LICENSE"):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, source)
    run(*UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(source), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The programs' folder of an environment with only the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("environment")
    run(*UV, "venv", "--quiet", str(folder / "venv"), cwd=folder)
    python = folder / "venv" / "bin" / "python"
    locked = ["--constraint", str(ROOT / "requirements" / "all.txt")]
    run(*UV, "pip", "install", "--quiet", "--python", str(python), *locked, str(wheel), cwd=folder)
    yield folder / "venv" / "bin"
    shutil.rmtree(folder)


def run(*command: str, cwd: Path, given: bytes | None = None) -> str:
    """Return the output of a command; no variable refers to the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, input=given, capture_output=True, timeout=300)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.decode()


def test_wheel_holds_digits_alone_with_its_model_and_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"digits"}
    model = {f"digits/default/{name}" for name in ("manifest.json", "digits.onnx", "card.html")}
    assert {"digits/py.typed"} | model <= {*names}


def test_command_reads_a_digit_in_any_folder(installed: Path, tmp_path: Path) -> None:
    picture(drawing("7")).save(tmp_path / "seven.png")
    said = run(str(installed / "digits"), "seven.png", cwd=tmp_path)
    assert said.startswith("seven.png: 7 (")
    given = (tmp_path / "seven.png").read_bytes()
    assert run(str(installed / "digits"), "-", cwd=tmp_path, given=given).startswith("-: 7 (")


READ = """
from PIL import Image
from digits import Reader
print(Reader.load().read(Image.open("number.png")).text)
"""


def test_package_reads_a_number(installed: Path, tmp_path: Path) -> None:
    number = drawing("2047", size=(620, 160), box=90, at=(40, 30), pen=8, step=1.4)
    picture(number).save(tmp_path / "number.png")
    assert run(str(installed / "python"), "-c", READ, cwd=tmp_path) == "2047\n"
