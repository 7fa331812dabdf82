"""glibc's allocator has few arenas, keeps large buffers out of them, and returns free memory."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
THREADS = """
import ctypes, sys, threading
if sys.argv[1] == "limited":
    from service.runtime.memory import keep_arenas_small
    keep_arenas_small()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
first = [bytearray(200_000) for _ in range(100)]
del first  # by default, glibc now takes buffers of this size from an arena
second = [bytearray(200_000) for _ in range(100)]
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
LEFT = """
import asyncio, contextlib
import psutil
from service.runtime.memory import keep_returning
blocks = [bytes(10_000) for _ in range(10_000)]
kept = blocks[::100]  # the free memory between them is at no arena's end
del blocks
async def main():
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(keep_returning(0.1), 1)
before = psutil.Process().memory_info().rss
asyncio.run(main())
print(before - psutil.Process().memory_info().rss)
"""
STARTED = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from service.runtime.champion import Champion
from service.runtime.traffic import TRAFFIC
from service.service import DigitsService
async def main():
    service = SimpleNamespace(_champion=Champion(Path(sys.argv[1])), _traffic=TRAFFIC)
    await DigitsService.inner.start(service)
    print(*(task.get_coro().__name__ for task in service._tasks))
asyncio.run(main())
"""
only_glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="NO GLIBC: other allocators have no arenas",
)


@only_glibc
def test_threads_share_two_arenas() -> None:
    limited, usual = (_arenas(how).count("<heap nr=") for how in ("limited", "usual"))
    assert limited <= 2 < usual


@only_glibc
def test_large_buffers_are_in_no_arena() -> None:
    limited, usual = (_own_pages(_arenas(how)) for how in ("limited", "usual"))
    assert usual < 20_000_000 <= limited


def test_a_worker_returns_free_memory(tmp_path: Path) -> None:
    assert "keep_returning" in _output(STARTED, str(tmp_path)).split()


@only_glibc
def test_free_memory_between_blocks_is_returned() -> None:
    assert int(_output(LEFT)) > 80_000_000


def _arenas(how: str) -> str:
    """glibc's description of all arenas after eight threads have allocated memory at the same time."""
    return _output(THREADS, how)


def _own_pages(arenas: str) -> int:
    """Bytes in buffers that have pages of their own."""
    found = re.search(r'<total type="mmap" count="\d+" size="(\d+)"', arenas)
    assert found, arenas
    return int(found[1])


def _output(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout
