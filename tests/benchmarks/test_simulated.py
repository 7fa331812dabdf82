"""The simulation obeys the laws that hold for every queue, independently of measurements."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import pytest
import simpy

from benchmarks.simulated import cluster, wrk
from benchmarks.simulated.cluster import Outcome, Policy, Setting
from benchmarks.simulated.cores import Cores
from benchmarks.simulated.times import Times

TIMES = Times(
    parsing=0.0002,
    refusal=0.0002,
    accepting=0.0001,
    connecting=0.00005,
    client=0.00005,
    wakeup=0.00005,
    contention=1.0,
    others=0.0,
    work=[0.0016, 0.0018, 0.0020, 0.0030],
)
ANSWER = TIMES.answer


def finished(weights: list[float], count: int, contention: float = 1.0) -> list[float]:
    """The times at which threads that start together have each had one second of processor time."""
    env = simpy.Environment()
    cores = Cores(env, count, contention)
    times: list[float] = []
    for weight in weights:
        done = cores.run(1.0, weight)
        assert done.callbacks is not None
        done.callbacks.append(lambda _: times.append(env.now))
    env.run()
    return times


def test_threads_share_cores_and_none_has_more_than_one() -> None:
    assert finished([1, 1], count=2) == pytest.approx([1, 1])
    assert finished([1, 1, 1], count=2) == pytest.approx([1.5, 1.5, 1.5])
    assert finished([1], count=2) == pytest.approx([1])


def test_a_thread_of_lower_priority_has_what_is_left() -> None:
    first, second = finished([1, 0.25], count=1)
    assert first == pytest.approx(1.25)
    assert second == pytest.approx(2)


def test_full_cores_slow_each_other_down() -> None:
    assert finished([1, 1], count=2, contention=1.5) == pytest.approx([1.5, 1.5])
    assert finished([1], count=2, contention=1.5) == pytest.approx([1])


def test_other_work_takes_its_share_of_full_cores() -> None:
    alone, beside = (wrk.run(replace(TIMES, others=others), (8, 8), seconds=6) for others in (0.0, 0.4))
    assert beside.rate == pytest.approx(0.8 * alone.rate, rel=0.05)
    assert beside.percentile(0.99) > alone.percentile(0.99)


@pytest.mark.parametrize(
    "accepted", [(1,), (2,), (16,), (64,), (400,), (1, 0), (1, 1), (6, 10), (24, 40), (200, 200), (120, 280)]
)
def test_littles_law_and_no_more_than_the_cores_allow(accepted: tuple[int, ...]) -> None:
    run, connections = wrk.run(TIMES, accepted, seconds=8), sum(accepted)
    assert run.in_system == pytest.approx(connections), "each connection has one request, always"
    mean = statistics.fmean(run.latencies)
    assert len(run.latencies) / run.seconds * mean == pytest.approx(connections, rel=0.1)
    assert run.busy_cores <= 2
    assert run.rate * ANSWER <= min(len(accepted), run.busy_cores) + 0.01
    assert run.percentile(0.5) / 1000 >= TIMES.parsing + min(TIMES.work)


def test_a_second_worker_doubles_what_there_is() -> None:
    one, two = (wrk.run(TIMES, accepted).rate for accepted in ((16,), (8, 8)))
    assert 1.6 < two / one <= 2


def test_only_a_flood_is_refused_and_its_refusals_are_held_back() -> None:
    assert wrk.run(TIMES, (100, 100)).refused == 0
    flood = wrk.run(TIMES, (200, 200))
    assert 0 < flood.refused < 400 * flood.seconds
    assert flood.latencies[-1] > 1, "a refusal comes a second late"
    assert flood.rate > 0.9 * wrk.run(TIMES, (32, 32)).rate


def test_the_same_seed_gives_the_same_run() -> None:
    assert wrk.run(TIMES, (4, 4), seed=4).latencies == wrk.run(TIMES, (4, 4), seed=4).latencies
    assert wrk.run(TIMES, (4, 4), seed=4).latencies != wrk.run(TIMES, (4, 4), seed=5).latencies


FEW = Setting(rate=0.5 * 8 / ANSWER, proxy=0.00001, replicas=8, seconds=2, photo=0.15)


def outcome(**changes: Any) -> Outcome:
    return cluster.run(TIMES, replace(FEW, **changes))


def test_what_arrives_is_answered_while_there_is_room() -> None:
    found = outcome()
    assert found.rate == pytest.approx(FEW.rate, rel=0.1)
    assert found.refused == 0
    assert found.replicas_busy == pytest.approx(FEW.rate * (ANSWER + TIMES.accepting) / 8, rel=0.05)


def test_the_proxy_is_full_at_what_its_cores_can() -> None:
    narrow = outcome(proxy=4 / FEW.rate, proxy_cores=2)
    assert 0.3 * FEW.rate < narrow.rate < 0.51 * FEW.rate
    assert narrow.unfinished > 0.4 * FEW.rate * FEW.seconds
    assert outcome(proxy=4 / FEW.rate, proxy_cores=8).rate == pytest.approx(FEW.rate, rel=0.1)


def test_who_asks_the_least_busy_replica_waits_least() -> None:
    policies: tuple[Policy, ...] = ("least connections", "round robin", "random")
    rate = 0.85 * 8 / ANSWER
    late = [outcome(policy=policy, rate=rate, seconds=6).percentile(0.99) for policy in policies]
    assert late[0] < late[1] < late[2]


def test_a_lost_replica_costs_a_second_for_its_share_and_loses_nothing() -> None:
    found = outcome(lost_at=0.4, seconds=3.0)
    assert found.percentile(0.5, 0.4, 1.4) < 20
    assert 1000 <= found.percentile(0.95, 0.4, 1.4) < 3100
    assert found.percentile(0.99, 1.5, 2.9) < 100
    assert found.refused == 0
    assert found.unfinished < 40


def test_photos_yield_to_drawings() -> None:
    found = outcome(photos=0.01, rate=0.4 * 8 / ANSWER)
    assert found.photos
    assert min(latency for _, latency in found.photos) >= FEW.photo
    assert found.percentile(0.99) < 3 * outcome(rate=0.4 * 8 / ANSWER).percentile(0.99)
