"""A virtual screen (Xvfb) for the desktop window."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def screen() -> Iterator[str]:
    """The name of a new X display, 1280x800; skips the test loudly if Xvfb is missing."""
    if shutil.which("Xvfb") is None:
        pytest.skip("NO DISPLAY: install Xvfb and xdotool (apt-get install xvfb xdotool) to test the window")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as number:
            name = number.readline().strip()  # Xvfb prints its number once it is ready
        yield f":{name}"
    finally:
        server.terminate()
        server.wait(10)
