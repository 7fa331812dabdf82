"""The worksheet's arithmetic; and the documentation shows its result for the stored measurements."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Kind, Measured

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
BEGIN, END = "<!-- make scale -->\n", "<!-- end of make scale -->"

DRAWING = Kind("drawing", service_ms=2.0, decoding_ms=0.1, proxy_ms=0.1, wire_bytes=5000)
PHOTO = Kind("photo", service_ms=100.0, decoding_ms=30.0, proxy_ms=1.0, wire_bytes=2_000_000)
INPUTS = Measured((DRAWING, PHOTO), 50.0, 150.0, 8.0, 10.0, 20_000.0, ("`make x`, 2026-11-27, 2 cores",))


def test_what_ten_thousand_drawings_a_second_take() -> None:
    need = INPUTS.need(DRAWING, 7000)
    assert need.replicas == 20, "7,000 x 2 ms are 14 cores, used by 70 %"
    assert need.gigabytes == pytest.approx(20 * 0.2)
    assert need.proxy_cores == 1
    assert need.gigabits == pytest.approx(7000 * 5000 * 8 * 1.06 / 1e9 / 0.7)


def test_what_one_of_each_can() -> None:
    assert DRAWING.replica == 500
    assert DRAWING.proxy_core == 10_000
    assert PHOTO.link(1) == pytest.approx(58.96, abs=0.01)
    assert PHOTO.link(10) == pytest.approx(10 * PHOTO.link(1))


def test_what_is_full_first_is_told() -> None:
    lines = list(scale.worksheet(INPUTS))
    first = {line.split(" | ")[0].strip("| "): line.split(" | ")[-1].strip(" |") for line in lines}
    assert first["drawing"] == "a core of nginx", "at 20 replicas; 1 Gbit/s is full at 47"
    assert first["photo"] == "a link of 1 Gbit/s", "at 6 replicas; a core of nginx at 100"


def test_a_billion_digits_in_a_day() -> None:
    told = "\n".join(scale.worksheet(INPUTS, digits=8.64e9))
    assert "= 10,000\n" in told, "8.64e9 digits are 8.64e8 papers of ten: 10,000 per second"
    assert "= 1,250\n" in told, "at 8 per second and core"
    assert "200 MB/s" in told, "10,000 papers of 20 kB"


def test_the_page_shows_what_the_command_prints() -> None:
    shown = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    printed = "\n".join(scale.worksheet(scale.measured())) + "\n"
    assert shown.strip() == printed.strip(), "run `make scale`, and put its output into docs/scale.md"
