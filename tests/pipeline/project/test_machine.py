"""The processor's name from Linux's cpuinfo."""

from __future__ import annotations

from pathlib import Path

from pipeline.project.machine import processor


def test_processor_is_named_as_linux_names_it(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: a b\n" * 2)
    name, _, cores = processor(told).rpartition(", ")
    assert name == "Some CPU @ 2 GHz"
    assert int(cores.removesuffix(" cores")) > 0


def test_processor_without_linux_has_a_name_too(tmp_path: Path) -> None:
    assert not processor(tmp_path / "none").startswith(",")
