"""Decoding in a separate process with limits on time and memory, which a costly file cannot exceed."""

# See docs/decisions/sandbox.md.
from __future__ import annotations

import atexit
import io
import json
import logging
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from digits.ink.pixels import Picture
from service.errors import Busy
from service.pictures import sandboxed
from service.pictures.kinds.file import PictureFile, damaged, too_costly

WAIT_SECONDS = 12.0  # for a process that gets too little processor time

_PROGRAM = Path(sandboxed.__file__)
_CHANNELS = {"L": (), "RGB": (3,), "RGBA": (4,)}  # modes whose bytes `digits` accepts as pixels
_KILLED = (-signal.SIGPROF, -signal.SIGKILL)  # exceeded processor time, or memory

_logger = logging.getLogger("service")


class Sandbox:
    """A process that decodes one picture at a time, started on first use and restarted after a crash.

    `niceness`: 0 to 19, as for `nice`.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lock = Lock()
        atexit.register(self.close)

    def decode(self, file: PictureFile, draft: tuple[int, int] | None = None) -> Picture:
        """The decoded picture; a JPEG in about the size `draft` (width, height).

        Raises `BadImage` if the pixels cannot be decoded, `TooCostly` if decoding exceeds the limits, and
        `Busy` if the process did not answer within `WAIT_SECONDS`.
        """
        with self._lock, _shared_file() as shared:
            os.pwrite(shared.fileno(), file.data, 0)
            request = {"kind": file.kind, "size": (file.width, file.height), "draft": draft}
            answer = self._ask(request, shared.fileno(), file.kind)
            if answer is None:
                raise damaged(file.kind)
            return _picture(answer, shared, file.orientation)

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any], shared: int, kind: str) -> dict[str, Any] | None:
        channel = self._running()
        try:
            socket.send_fds(channel, [json.dumps(request).encode() + b"\n"], [shared])
            with channel.makefile("rb") as lines:
                line = lines.readline()
        except TimeoutError:
            self._end()
            raise Busy("The service is busy. Try again in a second.") from None
        except OSError:  # the process has ended
            line = b""
        if line:
            answer: dict[str, Any] | None = json.loads(line)
            return answer
        status = self._end()
        if status is not None and status >= 0:
            raise RuntimeError(f"The decoder process for a {kind} does not run (exit status {status}).")
        _logger.warning("The decoder process died while decoding a %s file", kind, extra={"status": status})
        raise too_costly(kind) if status in _KILLED else damaged(kind)

    def _running(self) -> socket.socket:
        """The socket of a running process, which is started if necessary."""
        if self._process is not None and self._process.poll() is not None:
            self._end()  # it ended while it was idle
        if self._channel is None:
            ours, theirs = socket.socketpair()
            ours.settimeout(WAIT_SECONDS)
            descriptor = theirs.fileno()
            command = [sys.executable, "-P", "-W", "ignore", str(_PROGRAM)]
            command += [str(descriptor), str(self._niceness)]
            with closing(theirs):
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[descriptor]
                )
            self._channel = ours
        return self._channel

    def _end(self) -> int | None:
        """End the process and return its exit status, negative for a signal; None if there was none."""
        process, channel = self._process, self._channel
        self._process = self._channel = None
        if process is None or channel is None:
            return None
        channel.close()
        try:
            return process.wait(0.5)  # it ends when the socket is closed, unless it is still decoding
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _shared_file() -> io.FileIO:
    """An anonymous file, in memory if the system supports that, else on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _picture(answer: dict[str, Any], shared: io.FileIO, orientation: int) -> Picture:
    """The pixels in the file: as an array if mode and orientation allow it, else as a Pillow image."""
    mode, size = answer["mode"], tuple(answer["size"])
    pixels = mmap.mmap(shared.fileno(), 0, access=mmap.ACCESS_READ)
    if mode in _CHANNELS and orientation == 1:
        return np.frombuffer(pixels, np.uint8).reshape(*size[::-1], *_CHANNELS[mode])
    with closing(pixels):
        image = Image.frombytes(mode, size, pixels[:])
    if answer["palette"]:
        image.putpalette(answer["palette"])
    return image
