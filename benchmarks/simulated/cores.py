"""Processor cores that threads share as under Linux's scheduler, where all runnable threads progress."""

from __future__ import annotations

from dataclasses import dataclass

import simpy


@dataclass(slots=True, eq=False)
class _Job:
    left: float
    weight: float
    done: simpy.Event
    speed: float = 0.0


class Cores:
    """`count` cores. If more threads are busy, each gets a share according to its weight, at most one core.

    `contention` is the factor by which work takes longer while all cores are busy. `spent` is the processor
    time so far, in seconds.
    """

    def __init__(self, env: simpy.Environment, count: int, contention: float = 1.0) -> None:
        self.spent = 0.0
        self._env = env
        self._count = count
        self._contention = contention
        self._jobs: list[_Job] = []
        self._since = 0.0
        self._generation = 0

    def run(self, seconds: float, weight: float = 1.0) -> simpy.Event:
        """An event that occurs when a thread has had this much processor time."""
        self._advance()
        job = _Job(seconds, weight, self._env.event())
        self._jobs.append(job)
        self._plan()
        return job.done

    def _advance(self) -> None:
        """Subtract the processor time that each job has had since the last change."""
        passed = self._env.now - self._since
        self._since = self._env.now
        self.spent += passed * min(len(self._jobs), self._count)
        for job in self._jobs:
            job.left -= passed * job.speed

    def _plan(self) -> None:
        """Recompute the shares, and set a timer for the end of the first job."""
        self._generation += 1
        if not self._jobs:
            return
        self._share()
        first = min(max(job.left, 0.0) / job.speed for job in self._jobs)
        timer = self._env.timeout(first, self._generation)
        assert timer.callbacks is not None
        timer.callbacks.append(self._finish)

    def _share(self) -> None:
        """Set each job's speed, starting with the largest weight: at most one core. The rest is shared."""
        cores, weights = float(self._count), sum(job.weight for job in self._jobs)
        busy = min(len(self._jobs), self._count)
        others = (busy - 1) / (self._count - 1) if self._count > 1 else 0.0
        slower = 1 + (self._contention - 1) * others
        for job in sorted(self._jobs, key=lambda job: -job.weight):
            share = min(1.0, cores * job.weight / weights)
            cores -= share
            weights -= job.weight
            job.speed = share / slower

    def _finish(self, timer: simpy.Event) -> None:
        if timer.value != self._generation:
            return  # the shares have changed since
        self._advance()
        first = min(self._jobs, key=lambda job: job.left / job.speed)
        self._jobs.remove(first)
        first.done.succeed()
        self._plan()
