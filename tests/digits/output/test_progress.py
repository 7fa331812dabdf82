"""The progress bar on a real terminal that also shows the results."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

if sys.platform == "win32":
    pytest.skip("Windows has no terminals that a program can open", allow_module_level=True)

import fcntl
import pty
import termios

ROOT = Path(__file__).resolve().parents[3]


def terminal(*arguments: object, columns: int = 80, **environment: str) -> str:
    """Everything that the command writes to a terminal with this many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "digits", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm", "PYTHONPATH": str(ROOT)} | environment,
    )
    os.close(theirs)
    said = b""
    with process, os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            while piece := screen.read(65536):
                said += piece
        except OSError:  # how Linux tells that the other side is closed
            pass
    return said.decode()


def shown(said: str) -> list[str]:
    """The lines that remain on a terminal: CR goes to the start of a line, ESC [K clears to its end."""
    lines = [""]
    at = 0
    for piece in re.findall(r"\r|\n|\x1b\[K|[^\r\n\x1b]+", said):
        if piece == "\n":
            lines.append("")
            at = 0
        elif piece == "\r":
            at = 0
        elif piece == "\x1b[K":
            lines[-1] = lines[-1][:at]
        else:
            lines[-1] = lines[-1][:at] + piece + lines[-1][at + len(piece) :]
            at += len(piece)
    return lines


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.fromarray(np.full((40, 40), 255, np.uint8)).save(folder / f"{number:02}.png")
    (folder / "05.png").write_bytes(b"no picture")
    return folder


def test_each_result_has_a_line_of_its_own(pictures: Path) -> None:
    said = terminal(pictures)
    *lines, last = shown(said)
    assert last == ""
    assert [line.split(": ")[0] for line in lines] == [str(path) for path in sorted(pictures.iterdir())]
    assert [line.split(": ")[1] for line in lines[:5]] == ["blank"] * 5
    assert "] 6/12" in said


@pytest.mark.parametrize("columns", [20, 8])
def test_bar_fits_on_a_line_of_a_narrow_terminal(pictures: Path, columns: int) -> None:
    bars = re.findall(r"[^\r\n\x1b]*\d+/12(?=[\r\x1b])", terminal(pictures, columns=columns))
    assert len(bars) == 11
    assert max(map(len, bars)) < columns


def test_terminal_that_can_take_nothing_back_gets_no_bar(pictures: Path) -> None:
    assert "/12" not in terminal(pictures, TERM="dumb")


def test_few_files_get_no_bar(pictures: Path) -> None:
    assert "/10" not in terminal(*sorted(pictures.iterdir())[:10])
