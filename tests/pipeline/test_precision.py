"""bfloat16 is for layers that are made for it, on processors that have it."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from pipeline import precision
from pipeline.precision import calculating, processor_has_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512_bf16 avx512_fp16", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_processor_has_bfloat16_where_linux_says_so(
    flags: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor_has_bfloat16() is expected


def test_processor_has_none_where_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_CPUINFO", tmp_path / "cpuinfo")
    assert not processor_has_bfloat16()


@pytest.mark.parametrize(("in_bfloat16", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_calculating_holds_for_its_block(in_bfloat16: bool, dtype: str) -> None:
    with calculating(in_bfloat16):
        layer = keras.layers.Dense(1)
    assert (layer.compute_dtype, layer.variable_dtype) == (dtype, "float32")
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_calculating_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), calculating(in_bfloat16=True):
        raise ZeroDivisionError
    assert keras.layers.Dense(1).compute_dtype == "float32"
