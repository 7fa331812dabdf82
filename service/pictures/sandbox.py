"""Decoding in a process of its own, with limits: what takes too much ends that process and nothing else."""

# Why it is so: docs/decisions/sandbox.md
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

WAIT_SECONDS = 12.0  # for a process that other work keeps from the processor

_PROGRAM = Path(sandboxed.__file__)
_CHANNELS = {"L": (), "RGB": (3,), "RGBA": (4,)}  # modes whose bytes are the pixels that `digits` takes
_KILLED = (-signal.SIGPROF, -signal.SIGKILL)  # for too much processor time, or memory

_logger = logging.getLogger("service")


class Sandbox:
    """A process that decodes one picture at a time: started with the first, and anew where one ended it.

    `niceness` is how far it yields to others, as `nice` counts.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lock = Lock()
        atexit.register(self.close)

    def decode(self, file: PictureFile, draft: tuple[int, int] | None = None) -> Picture:
        """The decoded picture; a JPEG in about the size of `draft`.

        Raises `BadImage` where the pixels do not decode, `TooCostly` where that takes too much, and `Busy`
        where the process did not get to it within `WAIT_SECONDS`.
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
            raise Busy("There is too much to do right now: try again in a second.") from None
        except OSError:  # it has ended
            line = b""
        if line:
            answer: dict[str, Any] | None = json.loads(line)
            return answer
        status = self._end()
        if status is not None and status >= 0:
            raise RuntimeError(f"What decodes a {kind} does not run (exit status {status}).")
        _logger.warning("A %s ended the process that decoded it", kind, extra={"status": status})
        raise too_costly(kind) if status in _KILLED else damaged(kind)

    def _running(self) -> socket.socket:
        """The way to a process that runs."""
        if self._process is not None and self._process.poll() is not None:
            self._end()  # while it was idle
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
        """End the process; its exit status, negative for a signal's number."""
        process, channel = self._process, self._channel
        self._process = self._channel = None
        if process is None or channel is None:
            return None
        channel.close()
        try:
            return process.wait(0.5)  # it ends by itself, where nothing holds it up
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _shared_file() -> io.FileIO:
    """A file of which only its descriptors know: in memory where the system has such, else on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _picture(answer: dict[str, Any], shared: io.FileIO, orientation: int) -> Picture:
    """The pixels in the file, as an array where that says all there is to say."""
    mode, size = answer["mode"], tuple(answer["size"])
    pixels = mmap.mmap(shared.fileno(), 0, access=mmap.ACCESS_READ)
    if mode in _CHANNELS and orientation == 1:
        return np.frombuffer(pixels, np.uint8).reshape(*size[::-1], *_CHANNELS[mode])
    with closing(pixels):
        image = Image.frombytes(mode, size, pixels[:])
    if answer["palette"]:
        image.putpalette(answer["palette"])
    return image
