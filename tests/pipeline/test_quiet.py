from __future__ import annotations

import os

import pytest

from pipeline.quiet import quiet_stderr


def test_quiet_stderr_holds_back_what_c_code_writes(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"about the processor")
    os.write(2, b"later")
    assert capfd.readouterr().err == "later"


def test_quiet_stderr_shows_it_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, b"the reason")
        raise ImportError

    with pytest.raises(ImportError), quiet_stderr():
        fail()
    assert capfd.readouterr().err == "the reason"
