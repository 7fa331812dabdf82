"""Keeps a worker's memory small: glibc's allocator keeps little free memory.

Other C libraries (macOS, Windows, musl) have none of these calls, and nothing happens there.
"""

# See docs/decisions/releasing.md.
from __future__ import annotations

import asyncio
import ctypes
import logging
import sys
from collections.abc import Callable
from functools import cache

RETURN_SECONDS = 5.0
_ARENAS = 2  # one for the event loop and one for all other threads; glibc allows eight per core
_OWN_PAGES = 131_072  # bytes of the smallest buffer with pages of its own; by default, this grows to 32 MiB
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # from glibc's malloc.h

_logger = logging.getLogger("service")


def keep_arenas_small() -> None:
    """Allow glibc few arenas, and keep large buffers out of them. Call it before threads start.

    Each arena keeps free memory of its own, and small buffers among large ones prevent its return.
    """
    limit = _glibc("mallopt")
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)
        limit(_M_MMAP_THRESHOLD, _OWN_PAGES)


async def keep_returning(every: float = RETURN_SECONDS) -> None:
    """Return free memory to the system every `every` seconds, indefinitely.

    Photos and replaced models leave up to 50 MB of it, which glibc would keep for later.
    """
    while True:
        await asyncio.sleep(every)
        try:
            await asyncio.to_thread(return_free_memory)
        except Exception:
            _logger.exception("Returning free memory failed")


def return_free_memory() -> None:
    """Return the free memory of all arenas to the system."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def _glibc(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
