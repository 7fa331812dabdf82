"""The program that decodes pictures within limits; `service.pictures.sandbox` runs it.

It is run as a file, without the project around it, so that an idle one stays small (11 MB of its own). Over
the socket it gets a line of JSON and the descriptor of a file that holds the picture, and answers with a line
of JSON; the pixels are then in that file.
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

MESSAGE = 4096  # bytes that a line takes at most
_SECONDS = 0.75  # of processor time, and what each pixel adds: twice what the slowest honest pictures take
_SECONDS_A_PIXEL = 50e-9
_BYTES = 80 * 2**20  # of memory, and what each pixel adds: WebP unpacks several times
_BYTES_A_PIXEL = 20


def main() -> None:
    """Arguments: the socket's descriptor, and this process's niceness. Ends when the socket does.

    Who stops the service asks all its processes to end, while pictures in flight are still to be decoded.
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
    """From now on, too much memory is an error, and too much processor time ends the process (SIGPROF)."""
    width, height = size
    memory = _BYTES + _BYTES_A_PIXEL * width * height
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
    signal.setitimer(signal.ITIMER_PROF, _SECONDS + _SECONDS_A_PIXEL * width * height)


def _answer(request: dict[str, Any], file: int) -> dict[str, Any] | None:
    """What was decoded, or None for a damaged picture."""
    try:
        return _decode(request, file)
    except MemoryError:
        # Without memory, Python may turn in circles over the error itself.
        os.kill(os.getpid(), signal.SIGKILL)
    except Exception:  # Pillow's decoders raise whatever they trip over
        pass
    return None


def _decode(request: dict[str, Any], file: int) -> dict[str, Any]:
    size = tuple(request["size"])
    packed = os.pread(file, os.fstat(file).st_size, 0)
    image: Image.Image = Image.open(BytesIO(packed), formats=(request["kind"],))
    if image.size != size:
        raise ValueError("The header says another size.")
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
