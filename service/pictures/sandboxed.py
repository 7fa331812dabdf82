"""The program that decodes pictures within limits; `service.pictures.sandbox` runs it.

It is run as a file and imports nothing of the project, so that an idle process stays small (11 MB of its
own). For each picture, it receives a line of JSON and the descriptor of the picture's file over the socket,
writes the pixels into that file and answers with a line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from io import BytesIO
from typing import Any

from PIL import Image, JpegImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401  # these formats

MESSAGE = 4096  # bytes of a line at most
_SECONDS = 0.75  # of processor time, plus a share per pixel: twice what the slowest legitimate pictures need
_SECONDS_A_PIXEL = 50e-9
_BYTES = 80 * 2**20  # of memory, plus a share per pixel, because WebP keeps several copies
_BYTES_A_PIXEL = 20


def main() -> None:
    """Decode pictures until the socket is closed. Arguments: the socket's descriptor and the niceness.

    SIGTERM and SIGINT are ignored, because all processes of the service receive them when it is stopped,
    while pictures in flight still have to be decoded.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.nice(int(sys.argv[2]))
    while True:
        line, descriptors, _, _ = socket.recv_fds(channel, MESSAGE, 1)
        if not line:
            return
        request = json.loads(line)
        _limit(request["size"])
        with os.fdopen(descriptors[0], "r+b", buffering=0) as file:
            answer = _answer(request, file.fileno())
        channel.sendall(json.dumps(answer).encode() + b"\n")
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit(size: tuple[int, int]) -> None:
    """Limit memory, above which `MemoryError` is raised, and processor time, after which SIGPROF kills us."""
    width, height = size
    memory = _BYTES + _BYTES_A_PIXEL * width * height
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
    signal.setitimer(signal.ITIMER_PROF, _SECONDS + _SECONDS_A_PIXEL * width * height)


def _answer(request: dict[str, Any], file: int) -> dict[str, Any] | None:
    """The mode, size and palette of the decoded picture, or None for a damaged one."""
    try:
        return _decode(request, file)
    except MemoryError:
        # Without memory, Python may loop while it handles the error.
        os.kill(os.getpid(), signal.SIGKILL)
    except Exception:  # Pillow's decoders raise many types
        pass
    return None


def _decode(request: dict[str, Any], file: int) -> dict[str, Any]:
    size = tuple(request["size"])
    packed = os.pread(file, os.fstat(file).st_size, 0)
    image: Image.Image = Image.open(BytesIO(packed), formats=(request["kind"],))
    if image.size != size:
        raise ValueError("The header has another size.")
    if request["draft"]:
        image.draft(None, tuple(request["draft"]))
    image.load()
    pixels = image.tobytes()
    os.ftruncate(file, 0)
    os.pwrite(file, pixels, 0)
    palette = image.getpalette() if image.mode in ("P", "PA") else None
    return {"mode": image.mode, "size": image.size, "palette": palette}


if __name__ == "__main__":
    main()
