"""A new model goes into service; one that cannot serve is refused, and the old one stays."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from prometheus_client import REGISTRY

from service.errors import NoModel, NotFound
from service.runtime.champion import Champion
from tests.service.slow_model import slow

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
        f"Watching {tmp_path / 'none'} for a model to replace the default model",
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
    with pytest.raises(NoModel, match="No model"):
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


def card_of(manifest: Path) -> bytes:
    """A card with the SHA-256 of a manifest."""
    return f"<p>{json.loads(manifest.read_text())['sha256']}</p>".encode()


def test_champion_of_another_version_brings_its_own_card(
    champion: Champion, tiny_model: Path, promote: Promote, nearest_digit: Callable[..., bytes]
) -> None:
    """In the order of a promotion: the card first, which is not the card of the model still in service."""
    first, second = card_of(tiny_model / "manifest.json"), nearest_digit(outputs=11)
    (tiny_model / "card.html").write_bytes(first)
    champion.refresh()
    assert champion.card() == first
    later = f"<p>{hashlib.sha256(second).hexdigest()}</p>".encode()
    (tiny_model / "card.html").write_bytes(later)
    champion.refresh()
    assert (version(champion), champion.card()) == ("1", first)
    promote(tiny_model, "2", second)
    champion.refresh()
    assert (version(champion), champion.card()) == ("2", later)


@pytest.mark.parametrize("case", ["none", "another model's", "too large", "a folder"])
def test_champion_has_no_card_but_its_own(tiny_model: Path, case: str) -> None:
    path = tiny_model / "card.html"
    if case == "another model's":
        path.write_text(f"<p>{'0' * 64}</p>")
    elif case == "too large":
        path.write_bytes(card_of(tiny_model / "manifest.json") + b" " * 2**20)
    elif case == "a folder":
        path.mkdir()
    champion = Champion(tiny_model)
    champion.refresh()
    assert version(champion) == "1"
    with pytest.raises(NotFound, match="no model card"):
        champion.card()


def test_default_model_has_a_card(tmp_path: Path) -> None:
    champion = Champion(tmp_path / "none")
    with pytest.raises(NoModel):
        champion.card()
    champion.refresh()
    assert b"the default model" in champion.card()


def broken(name: str, folder: Path, promote: Promote, nearest_digit: Callable[..., bytes]) -> None:
    """Write a champion that cannot serve into the folder."""
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


def manifest_text(folder: Path, **entries: Any) -> str:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return json.dumps(manifest | entries)


HOSTILE: dict[str, Any] = {
    "file is a number": {"file": 5},
    "file is null": {"file": None},
    "file has a NUL": {"file": "a\0b"},
    "file is the folder": {"file": ".."},
    "version is a number": {"version": 5},
    "version is half a character": {"version": "\ud800"},
    "temperature is nearly nothing": {"temperature": 1e-38},
    "temperature is negative": {"temperature": -1},
    "temperature is huge": {"temperature": 1e38},
    "threshold refuses all": {"rejection_threshold": -900},
    "too many turns": {"turns": [1.0] * 1000},
    "a later format": {"format": 2},
    "format is a word": {"format": "1"},
}
HOSTILE_TEXTS: dict[str, str | bytes] = {
    "deep": "[" * 100_000,
    "null": "null",
    "nothing": "",
    "not UTF-8": b"\xff\xfe",
    "two mebibytes": '{"file": "' + "a" * 2**21 + '"}',
    "a huge number": '{"temperature": 1' + "0" * 400 + "}",
}


@pytest.mark.parametrize("name", [*HOSTILE, *HOSTILE_TEXTS])
def test_watch_outlives_every_manifest_and_takes_the_next_good_model(
    champion: Champion, tiny_model: Path, promote: Promote, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.runtime.champion.LOOK_SECONDS", 0.02)
    refused = loads("refused")
    text = manifest_text(tiny_model, **HOSTILE[name]) if name in HOSTILE else HOSTILE_TEXTS[name]
    content = text if isinstance(text, bytes) else text.encode()

    async def watched() -> None:
        watch = asyncio.create_task(champion.watch())
        (tiny_model / "manifest.json").write_bytes(content)
        await until(lambda: loads("refused") == refused + 1)
        assert version(champion) == "1"
        promote(tiny_model, "2")
        await until(lambda: version(champion) == "2")
        assert not watch.done()
        watch.cancel()

    asyncio.run(watched())


async def until(check: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.02)


def test_watch_outlives_whatever_goes_wrong(
    champion: Champion, tiny_model: Path, promote: Promote, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = loads("refused")

    async def watched() -> None:
        watch = asyncio.create_task(champion.watch())
        with monkeypatch.context() as broken_system:
            broken_system.setattr(os, "scandir", lambda _: 1 / 0)
            await until(lambda: loads("refused") > refused)
        promote(tiny_model, "2")
        await until(lambda: version(champion) == "2")
        watch.cancel()

    asyncio.run(watched())


@pytest.mark.parametrize("odd", ["link to nothing", "pipe", "folder", "link to itself", "socket"])
def test_other_things_in_the_folder_do_not_block_promotions(
    champion: Champion, tiny_model: Path, promote: Promote, odd: str
) -> None:
    path = tiny_model / ".#manifest.json"
    if odd == "pipe":
        os.mkfifo(path)
    elif odd == "folder":
        path.mkdir()
    elif odd == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        path.symlink_to("nobody@nowhere.123" if odd == "link to nothing" else path.name)
    promote(tiny_model, "2")
    champion.refresh()
    assert version(champion) == "2"


@pytest.mark.parametrize("odd", ["manifest", "network"])
def test_a_pipe_in_place_of_a_file_is_refused(
    champion: Champion, tiny_model: Path, promote: Promote, odd: str
) -> None:
    refused = loads("refused")
    file = json.loads((tiny_model / "manifest.json").read_text())["file"]
    path = tiny_model / ("manifest.json" if odd == "manifest" else file)
    path.unlink()
    os.mkfifo(path)
    champion.refresh()
    assert (version(champion), loads("refused")) == ("1", refused + 1)
    path.unlink()
    promote(tiny_model, "2")
    champion.refresh()
    assert version(champion) == "2"


def test_a_link_whose_target_changes_is_seen(tmp_path: Path, promote: Promote) -> None:
    promote(tmp_path / "real", "1")
    (tmp_path / "linked").mkdir()
    for path in (tmp_path / "real").iterdir():
        (tmp_path / "linked" / path.name).symlink_to(path)
    champion = Champion(tmp_path / "linked")
    champion.refresh()
    assert version(champion) == "1"
    promote(tmp_path / "real", "2")
    champion.refresh()
    assert version(champion) == "2"


def test_a_model_that_mixes_the_digits_up_is_refused(
    champion: Champion, tiny_model: Path, promote: Promote, nearest_digit: Callable[..., bytes]
) -> None:
    network = onnx.load_from_string(nearest_digit())
    weights = next(each for each in network.graph.initializer if each.name == "weights")
    weights.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(weights), 1, axis=1), "weights"))
    refused = loads("refused")
    promote(tiny_model, "2", network.SerializeToString())
    champion.refresh()
    assert (version(champion), loads("refused")) == ("1", refused + 1)


def test_todays_manifests_are_served(tmp_path: Path, promote: Promote) -> None:
    """Manifests without `format`, as earlier versions wrote them."""
    promote(tmp_path / "champion", "1")
    assert "format" not in (tmp_path / "champion" / "manifest.json").read_text()
    champion = Champion(tmp_path / "champion")
    champion.refresh()
    assert version(champion) == "1"
    assert champion.reader().model.manifest.format == 1


def test_a_model_that_does_not_answer_in_time_is_refused_and_the_next_is_taken(
    champion: Champion,
    tiny_model: Path,
    promote: Promote,
    nearest_digit: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.runtime.champion.LOAD_SECONDS", 0.3)
    refused = loads("refused")
    promote(tiny_model, "2", slow(nearest_digit(), rounds=60_000))
    champion.refresh()
    assert (version(champion), loads("refused")) == ("1", refused + 1)
    left_behind = [thread for thread in threading.enumerate() if thread.name == "load"]
    assert left_behind
    monkeypatch.undo()
    promote(tiny_model, "3")
    champion.refresh()
    assert version(champion) == "3"
    for thread in left_behind:
        thread.join(60)


def test_a_model_that_gives_no_number_for_much_ink_is_refused(
    champion: Champion, tiny_model: Path, promote: Promote, nearest_digit: Callable[..., bytes]
) -> None:
    network = onnx.load_from_string(nearest_digit())
    network.graph.node[-1].output[0] = "sum"
    network.graph.node.append(helper.make_node("Div", ["sum", "ones"], ["logits"]))
    network.graph.initializer.append(numpy_helper.from_array(np.full(10, 1e-44, np.float32), "ones"))
    refused = loads("refused")
    promote(tiny_model, "2", network.SerializeToString())
    champion.refresh()
    assert (version(champion), loads("refused")) == ("1", refused + 1)
