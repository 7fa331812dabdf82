"""One `make repro` waits for another, even in a container, where DVC's own lock has no effect."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from pipeline import repro
from pipeline.project.files import locked


def test_repro_waits_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["repro"])
    begun = threading.Event()

    def begin() -> int:
        begun.set()
        return 0

    monkeypatch.setattr(repro, "repro", begin)
    second = threading.Thread(target=repro.main)
    with locked(repro.LOCKED):
        second.start()
        assert not begun.wait(0.5)
    second.join(30)
    assert begun.is_set()
    assert "waiting for another `make repro`" in capfd.readouterr().out
