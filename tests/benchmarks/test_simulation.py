"""The simulation compared with the stored curve; both are fixed, so nothing is timed here."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from benchmarks import simulation
from benchmarks.conditions import RESULTS, read
from benchmarks.load_curve import CONNECTIONS
from benchmarks.simulated.times import Times
from benchmarks.simulation import Compared

WRONG: dict[int, set[tuple[int, str]]] = {
    1: {(200, "p99"), (400, "p99")},
    2: {(4, "p99"), (16, "p99"), (400, "p99")},
}
"""Figures that the simulation gets wrong, by the number of workers; docs/decisions/scale.md explains them."""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "connections",
    [(2, 16, 64), pytest.param(CONNECTIONS, marks=pytest.mark.heavy)],
)
def test_the_measured_curve_is_met(workers: int, connections: tuple[int, ...]) -> None:
    """Figures are within 15 % of the median or within the range of the rounds, except those in `WRONG`."""
    found = list(simulation.compared(read(RESULTS / f"curve-{workers}.json"), connections))
    assert [one.connections for one in found[:: len(simulation.FIGURES)]] == list(connections)
    wrong = {(one.connections, one.figure) for one in found if not one.right}
    assert wrong == {one for one in WRONG[workers] if one[0] in connections}


def test_a_figure_is_right_within_the_tolerance_or_the_spread() -> None:
    close = Compared(1, "rate", 114.0, (100.0, 99.0, 101.0))
    assert close.right
    assert not replace(close, simulated=116.0).right
    assert replace(close, simulated=116.0, measured=(100.0, 99.0, 120.0)).right
    assert not replace(close, simulated=84.0).right


@pytest.mark.parametrize("workers", [1, 2])
def test_its_inputs_are_measured_where_nothing_waits(workers: int) -> None:
    """The mean simulated processor time is that measured with one connection, not a point of the curve."""
    curve = read(RESULTS / f"curve-{workers}.json")
    times = Times.of(curve)
    assert 1000 * times.answer == pytest.approx(curve["inputs"]["answer"]["cpu_service"], rel=0.05)
    assert 0 < times.parsing < min(statistics.quantiles(times.work))
    assert times.wakeup < times.answer / 2


def test_fifty_replicas_are_told_of() -> None:
    costs, replicas = (read(RESULTS / f"{name}.json") for name in ("costs", "replicas-bare"))
    times, usual = simulation.behind_proxy(Times.of(read(RESULTS / "curve-1.json")), costs, replicas)
    assert usual.replicas == 50
    assert 0 < usual.proxy < times.answer / 3, "else nginx would cost as much as reading"
    named = dict(simulation.settings(times, usual))
    assert len(named) == len(list(simulation.settings(times, usual))), "each setting has a name of its own"
    assert any(setting.lost_at for setting in named.values())
    assert any(setting.photos for setting in named.values())
