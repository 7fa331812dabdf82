"""Each training has its own checkpoint, and a damaged one is ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.training import checkpoint
from pipeline.training.checkpoint import Checkpoint, State

STATE = State(
    epochs=2,
    seconds=1.5,
    variables=[np.arange(3.0), np.array(7)],
    best_epoch=1,
    best_weights=[np.ones((2, 2))],
    history={"loss": [0.5, 0.25]},
)


def test_load_gives_what_was_saved(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path / "deep" / "one.npz")
    assert one.load() is None
    one.save(STATE)
    found = one.load()
    assert found is not None
    assert (found.epochs, found.seconds, found.best_epoch, found.history) == (
        2,
        1.5,
        1,
        {"loss": [0.5, 0.25]},
    )
    assert [a.tolist() for a in found.variables] == [[0, 1, 2], 7]
    assert [a.tolist() for a in found.best_weights] == [[[1, 1], [1, 1]]]
    assert [path.name for path in one.path.parent.iterdir()] == ["one.npz"]


def test_load_many_variables_in_order(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path / "one.npz")
    one.save(State(1, 0.0, [np.array(n) for n in range(25)], 0, [], {}))
    found = one.load()
    assert found is not None
    assert [int(a) for a in found.variables] == list(range(25))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04cut"])
def test_load_damaged_is_none(tmp_path: Path, content: bytes) -> None:
    one = Checkpoint(tmp_path / "one.npz")
    one.path.write_bytes(content)
    assert one.load() is None


def test_of_differs_by_parameters_data_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Checkpoint.of(tmp_path, {"epochs": 3}, "a")
    assert Checkpoint.of(tmp_path, {"epochs": 3}, "a") == first
    others = {Checkpoint.of(tmp_path, {"epochs": 4}, "a"), Checkpoint.of(tmp_path, {"epochs": 3}, "b")}
    (tmp_path / "network.py").write_text("")
    monkeypatch.setattr(checkpoint, "CODE", tmp_path)
    others.add(Checkpoint.of(tmp_path, {"epochs": 3}, "a"))
    assert len(others | {first}) == 4


def test_remove_twice(tmp_path: Path) -> None:
    one = Checkpoint(tmp_path / "one.npz")
    one.save(STATE)
    one.remove()
    one.remove()
    assert one.load() is None
