"""A new model is taken up, and one that cannot serve is refused while the old one goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from service.errors import NoModel
from service.runtime.champion import Champion

Promote = Callable[..., None]


@pytest.fixture
def champion(tiny_model: Path) -> Champion:
    champion = Champion(tiny_model)
    champion.refresh()
    return champion


def version(champion: Champion) -> str:
    return champion.reader().model.manifest.version


def loads(outcome: str) -> float:
    return REGISTRY.get_sample_value("digits_model_loads_total", {"outcome": outcome}) or 0


def test_champion_without_a_model_is_the_default_one(
    tmp_path: Path, promote: Promote, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    caplog.set_level(logging.INFO)
    refused = loads("refused")
    champion = Champion(tmp_path / "none")
    champion.refresh()
    assert version(champion) == "default"
    (tmp_path / "none").mkdir()
    champion.refresh()
    assert version(champion) == "default"
    promote(tmp_path / "none", "1")
    champion.refresh()
    assert version(champion) == "1"
    assert [record.message for record in caplog.records] == [
        "Serving model default",
        f"A model that appears in {tmp_path / 'none'} takes over",
        "Serving model 1",
    ]
    assert loads("refused") == refused


def test_champion_that_is_broken_from_the_start_leaves_the_default_one(
    tmp_path: Path, promote: Promote, nearest_digit: Callable[..., bytes]
) -> None:
    refused = loads("refused")
    broken("wrong hash", tmp_path / "champion", promote, nearest_digit)
    champion = Champion(tmp_path / "champion")
    champion.refresh()
    assert version(champion) == "default"
    assert loads("refused") == refused + 1


def test_champion_without_any_model_is_busy(tmp_path: Path) -> None:
    champion = Champion(tmp_path / "none", default=tmp_path / "neither")
    champion.refresh()
    with pytest.raises(NoModel, match="no model"):
        champion.reader()


def test_champion_takes_up_a_model_that_comes_later(tmp_path: Path, promote: Promote) -> None:
    champion = Champion(tmp_path / "later")
    champion.refresh()
    promote(tmp_path / "later", "3")
    champion.refresh()
    assert version(champion) == "3"


def test_champion_takes_up_another_version(champion: Champion, tiny_model: Path, promote: Promote) -> None:
    before, taken = champion.reader(), loads("taken")
    champion.refresh()
    assert champion.reader() is before
    promote(tiny_model, "2", created="2026-02-02")
    champion.refresh()
    assert version(champion) == "2"
    assert loads("taken") == taken + 1
    assert REGISTRY.get_sample_value("digits_workers", {"model": "1"}) == 0
    assert REGISTRY.get_sample_value("digits_workers", {"model": "2"}) == 1


def broken(name: str, folder: Path, promote: Promote, nearest_digit: Callable[..., bytes]) -> None:
    """Put a champion into the folder that cannot serve."""
    if name == "no file":
        promote(folder, "2", file="0.onnx")
    elif name == "wrong hash":
        promote(folder, "2", sha256="0" * 64)
    elif name == "wrong shape":
        promote(folder, "2", nearest_digit(side=14))
    elif name == "too many outputs":
        promote(folder, "2", nearest_digit(outputs=12))
    elif name == "no ONNX":
        promote(folder, "2", b"import os; os.abort()")
    elif name == "another folder's file":
        promote(folder, "2", file="../model.onnx")
    elif name == "no JSON":
        (folder / "manifest.json").write_text("{")
    elif name == "no manifest":
        (folder / "manifest.json").unlink()
    elif name == "no numbers":
        promote(folder, "2", temperature=0.0)


CASES = ["no file", "wrong hash", "wrong shape", "too many outputs", "no ONNX", "another folder's file"]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("case", [*CASES, "no JSON", "no manifest", "no numbers"])
def test_champion_refuses_a_broken_model(
    champion: Champion,
    tiny_model: Path,
    promote: Promote,
    nearest_digit: Callable[..., bytes],
    case: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    refused = loads("refused")
    broken(case, tiny_model, promote, nearest_digit)
    champion.refresh()
    assert version(champion) == "1"
    assert loads("refused") == refused + 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    champion.refresh()
    assert loads("refused") == refused + 1, "the same broken model is tried once"
    promote(tiny_model, "3")
    champion.refresh()
    assert version(champion) == "3"


def test_champion_takes_a_file_that_arrives_after_its_manifest(
    champion: Champion, tiny_model: Path, promote: Promote, nearest_digit: Callable[..., bytes]
) -> None:
    promote(tiny_model, "2", nearest_digit(outputs=11))
    manifest: dict[str, Any] = json.loads((tiny_model / "manifest.json").read_text())
    content = (tiny_model / manifest["file"]).read_bytes()
    (tiny_model / manifest["file"]).unlink()
    champion.refresh()
    assert version(champion) == "1"
    (tiny_model / manifest["file"]).write_bytes(content)
    champion.refresh()
    assert version(champion) == "2"
