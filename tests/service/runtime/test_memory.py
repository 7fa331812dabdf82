"""glibc's allocator has as few arenas as the service asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
THREADS = """
import ctypes, sys, threading
if sys.argv[1] == "limited":
    from service.runtime.memory import limit_free_memory
    limit_free_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
together = threading.Barrier(8)
def allocate():
    together.wait()
    for _ in range(1000):
        assert libc.malloc(ctypes.c_size_t(1000))
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="NO GLIBC: only its allocator has arenas")
def test_threads_share_two_arenas() -> None:
    limited, usual = (_arenas(how) for how in ("limited", "usual"))
    assert limited <= 2 < usual


def _arenas(how: str) -> int:
    """The number of arenas after eight threads have allocated memory at the same time."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.count("<heap nr=")
