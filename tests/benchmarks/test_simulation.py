"""The simulation against the stored curve: both are fixed, so this times nothing."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from benchmarks import simulation
from benchmarks.conditions import RESULTS, read
from benchmarks.simulated.times import Times
from benchmarks.simulation import Compared


@cache
def compared(workers: int) -> Sequence[Compared]:
    return tuple(simulation.compared(read(RESULTS / f"curve-{workers}.json")))


@pytest.mark.parametrize("figure", simulation.FIGURES)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_measured_curve_is_met(workers: int, figure: str) -> None:
    """Within 15 % of the median, or within the rounds' spread."""
    found = [one for one in compared(workers) if one.figure == figure]
    assert [one.connections for one in found] == [1, 2, 4, 8, 16, 32, 64, 100, 200, 400]
    wrong = {one.connections: (one.simulated, one.measured) for one in found if not one.right}
    assert not wrong


def test_a_figure_is_right_within_the_tolerance_or_the_spread() -> None:
    close = Compared(1, "rate", 114.0, (100.0, 99.0, 101.0))
    assert close.right
    assert not replace(close, simulated=116.0).right
    assert replace(close, simulated=116.0, measured=(100.0, 99.0, 120.0)).right
    assert not replace(close, simulated=84.0).right


@pytest.mark.parametrize("workers", [1, 2])
def test_its_inputs_are_measured_where_nothing_waits(workers: int) -> None:
    """The mean of what is simulated is the processor time of one connection, and no point of the curve."""
    curve = read(RESULTS / f"curve-{workers}.json")
    times = Times.of(curve)
    assert 1000 * times.answer == pytest.approx(curve["inputs"]["answer"]["cpu_service"], rel=0.05)
    assert 0 < times.parsing < min(statistics.quantiles(times.work))
    assert times.wakeup < times.answer / 2


def test_fifty_replicas_are_told_of() -> None:
    costs, replicas = (read(RESULTS / f"{name}.json") for name in ("costs", "replicas"))
    times, usual = simulation.behind_proxy(Times.of(read(RESULTS / "curve-1.json")), costs, replicas)
    assert usual.replicas == 50
    assert 0 < usual.proxy < times.answer / 3, "else nginx would cost as much as reading"
    named = dict(simulation.settings(times, usual))
    assert len(named) == len(list(simulation.settings(times, usual))), "each setting has a name of its own"
    assert any(setting.lost_at for setting in named.values())
    assert any(setting.photos for setting in named.values())
