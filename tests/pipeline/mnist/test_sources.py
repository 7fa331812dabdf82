from __future__ import annotations

import time

import pytest

from pipeline.mnist.sources import within
from pipeline.project.errors import SourceError


def test_within_gives_what_was_asked_for() -> None:
    assert within(5, lambda: 7) == 7


def test_within_raises_what_was_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_within_does_not_wait_for_a_slow_name_server() -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"no answer in 0\.1 s"):
        within(0.1, lambda: time.sleep(20))
    assert time.monotonic() - began < 10
