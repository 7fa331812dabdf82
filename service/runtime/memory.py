"""Keeps a worker's memory small: glibc's allocator has few arenas, and returns free memory to the system.

Other C libraries (macOS, Windows, musl) have none of these calls, and nothing happens there.
"""

# See docs/decisions/releasing.md.
from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

_ARENAS = 2  # one for the event loop and one for all other threads; glibc allows eight per core
_M_ARENA_MAX = -8  # from glibc's malloc.h


def limit_arenas() -> None:
    """Let all threads share a few arenas, before threads start; each arena keeps free memory of its own."""
    limit = _glibc("mallopt")
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)


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
