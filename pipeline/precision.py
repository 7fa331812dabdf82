"""How exactly a training calculates: in float32, or in bfloat16 where the processor does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}  # Linux's names; without them bfloat16 is slower than float32
_CPUINFO = Path("/proc/cpuinfo")


def processor_has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, as far as Linux says."""
    try:
        return not _INSTRUCTIONS.isdisjoint(_CPUINFO.read_text().split())
    except OSError:
        return False


@contextmanager
def calculating(in_bfloat16: bool) -> Iterator[None]:
    """Layers made in this block calculate in bfloat16 or in float32; their weights are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if in_bfloat16 else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
