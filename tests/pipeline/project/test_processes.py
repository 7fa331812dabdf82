from __future__ import annotations

import os

import pytest

from pipeline.project.processes import spread


def process_of(_: int) -> int:
    return os.getpid()


def refused(job: int) -> int:
    if job == 2:
        raise ValueError("not 2")
    return job


def test_much_work_is_spread_over_other_processes() -> None:
    processes = spread(process_of, [1, 2, 3], seconds=60)
    assert os.getpid() not in processes or os.cpu_count() == 1


def test_little_work_and_a_single_job_stay_in_this_process() -> None:
    assert spread(process_of, [1, 2, 3], seconds=0.1) == [os.getpid()] * 3
    assert spread(process_of, [1], seconds=60) == [os.getpid()]


@pytest.mark.parametrize("seconds", [0.1, 60])
def test_results_come_in_the_jobs_order_and_errors_come_through(seconds: float) -> None:
    assert spread(refused, [5, 1, 4], seconds) == [5, 1, 4]
    with pytest.raises(ValueError, match="not 2"):
        spread(refused, [1, 2, 3], seconds)
