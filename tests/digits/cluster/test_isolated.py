from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from digits.cluster.isolated import CRASHED, TIMED_OUT, IsolatedReader
from digits.cluster.reading import Read
from digits.results import Reading


def reads() -> Read:
    return read


def read(data: bytes) -> Reading | str:
    if data == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if data == b"hang":
        time.sleep(600)
    if data == b"broken":
        return "It is broken."
    return Reading(data.decode(), (), (), (), str(os.getpid()))


@pytest.fixture
def isolated() -> Iterator[IsolatedReader]:
    reader = IsolatedReader(reads, seconds=60)
    yield reader
    reader.close()


def test_it_answers_what_the_reader_answers(isolated: IsolatedReader) -> None:
    answer = isolated(b"12")
    assert isinstance(answer, Reading)
    assert answer.text == "12"
    assert int(answer.model) != os.getpid()
    assert isolated(b"broken") == "It is broken."


def test_a_picture_that_ends_the_process_is_one_sentence(isolated: IsolatedReader) -> None:
    assert isolated(b"crash") == CRASHED
    answer = isolated(b"3")
    assert isinstance(answer, Reading)
    assert answer.text == "3"


def test_a_picture_that_never_ends_is_one_sentence() -> None:
    reader = IsolatedReader(reads, seconds=0.5)
    assert reader(b"hang") == TIMED_OUT
    reader.close()


def test_nothing_of_it_is_left() -> None:
    reader = IsolatedReader(partial(reads))
    answer = reader(b"3")
    assert isinstance(answer, Reading)
    reader.close()
    assert not psutil.pid_exists(int(answer.model))
