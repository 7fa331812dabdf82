"""How a cluster's cores are divided between workers."""

from __future__ import annotations

import pytest

pytest.importorskip("ray", reason="`make team` installs Ray")

from pipeline.tuning.cluster import threads_for


@pytest.mark.parametrize(
    ("cores", "workers", "threads"),
    [([1, 1], 2, 1), ([8, 8], 2, 8), ([8, 8], 3, 4), ([8, 2], 2, 4), ([0, 4], 1, 4), ([2], 9, 1)],
)
def test_threads_are_as_many_as_let_all_workers_run_at_once(
    cores: list[int], workers: int, threads: int
) -> None:
    assert threads_for(cores, workers) == threads
