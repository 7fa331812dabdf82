"""Keeps a worker's memory small: glibc's allocator keeps little free memory.

Other C libraries (macOS, Windows, musl) have none of these calls, and nothing happens there.
"""

# See docs/decisions/releasing.md.
from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_ARENAS = 2  # one for the event loop and one for all other threads; glibc allows eight per core
_OWN_PAGES = 4_000_000  # bytes: larger buffers have pages of their own, which are returned when freed
_KEPT = 16_000_000  # bytes: free memory at the end of an arena that is kept for later
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # from glibc's malloc.h


def limit_free_memory() -> None:
    """Limit the free memory that glibc keeps. Call it before threads start.

    Each arena keeps free memory of its own, and by default up to 64 MB of it once large buffers were freed.
    """
    limit = _glibc("mallopt")
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)
        limit(_M_MMAP_THRESHOLD, _OWN_PAGES)
        limit(_M_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Return free memory to the system: after some models, glibc keeps 50 MB, spread over its arenas."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
