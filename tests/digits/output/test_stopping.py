"""Real pipes and signals stop the command without a traceback, and the output so far is complete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

SLOW_IMPORT = """
import sys, time
print("importing", file=sys.stderr, flush=True)
time.sleep(60)
"""
SLOW_LOADING = """
import sys, time
class SessionOptions: pass
def InferenceSession(*_, **__):
    print("loading", file=sys.stderr, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.full((100, 100), 255, np.uint8)
    pixels[20:80, 40:50] = 0
    path = tmp_path / "bar.png"
    Image.fromarray(pixels).save(path)
    return path


def digits(*arguments: object, path: Path = ROOT, unbuffered: bool = False) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment["PYTHONPATH"] = f"{path}{os.pathsep}{ROOT}"
    return subprocess.Popen(
        [sys.executable, "-m", "digits", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        bufsize=0 if unbuffered else -1,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdout
    assert process.stderr
    return process.stdout, process.stderr


@pytest.mark.parametrize("content", [SLOW_IMPORT, SLOW_LOADING], ids=["import", "loading"])
def test_ctrl_c_before_the_first_picture_ends_it_in_silence(
    picture: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "onnxruntime.py").write_text(content, encoding="utf-8")
    with digits(picture, path=tmp_path) as process:
        out, err = pipes(process)
        assert err.readline() in (b"importing\n", b"loading\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert (out.read(), err.read()) == (b"", b"")


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_ctrl_c_among_the_pictures_leaves_whole_results(picture: Path, kind: str) -> None:
    with digits("--format", kind, *[picture] * 5000, unbuffered=True) as process:
        out, err = pipes(process)
        first = out.read(1)
        process.send_signal(signal.SIGINT)
        text = (first + out.read()).decode()
        said = err.read().decode()
        assert process.wait(30) == -signal.SIGINT
    assert said.startswith("Stopped: ")
    assert said.endswith(" of 5000 files were read.\n")
    assert said.count("\n") == 1
    assert text.endswith("\n")
    if kind == "json":
        read = json.loads(text)
        assert read["summary"]["complete"] is False
        assert len(read["files"]) == read["summary"]["files"] < 5000


def test_ctrl_c_that_waits_for_standard_input_ends_it() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "digits", "--format", "csv", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    with process:
        out, err = pipes(process)
        assert out.read(1) == b"f"  # the header is there, so the model has been loaded
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert b"Traceback" not in err.read()


def test_ctrl_c_that_is_ignored_stays_so(picture: Path, tmp_path: Path) -> None:
    """A shell script starts its background jobs like this."""
    slow = SLOW_IMPORT.replace("60", "1") + "sys.exit(7)\n"
    (tmp_path / "onnxruntime.py").write_text(slow, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "digits", str(picture)],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 7


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_who_reads_no_further_ends_it_in_silence(picture: Path, kind: str) -> None:
    with digits("--format", kind, *[picture] * 5000, unbuffered=True) as process:
        out, err = pipes(process)
        out.read(1)
        out.close()
        assert err.read() == b""
        assert process.wait(60) == 1


@pytest.mark.parametrize(
    "arguments", [("--help",), ("nowhere.png",), ("--format", "json", "nowhere.png")], ids=" ".join
)
def test_who_reads_nothing_at_all_ends_it_in_silence(arguments: tuple[str, ...]) -> None:
    """The output is short, so that Python would write it only at exit."""
    with digits(*arguments) as process:
        out, err = pipes(process)
        out.close()
        assert b"Traceback" not in (said := err.read())
        assert b"Exception ignored" not in said
        assert process.wait(60) == 1


def test_who_reads_no_sentences_ends_it_too() -> None:
    with digits(*["nowhere.png"] * 20) as process:
        pipes(process)[1].close()
        assert process.wait(60) == 1
