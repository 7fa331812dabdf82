"""The whole pipeline after damage: several faults in a row, a lost or damaged cache, read-only folders."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.damage import commands
from tests.damage.conftest import Undisturbed
from tests.damage.inject.fault import FILL, KILL
from tests.damage.sandbox import Done, Sandbox
from tests.damage.test_stages import require_sentence
from tests.damage.wholeness import champion_troubles, left_over, outputs, rows, store_troubles, troubles

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.heavy  # test_champion.py and test_feedback.py inject faults in the fast tests
def test_another_training_goes_on_beside_the_champion(box: Sandbox, small_project: Path) -> None:
    """`train` is killed after an epoch, and then the disk is full while `evaluate` registers the model."""
    box.restore(small_project)
    params = box.project / "params.yaml"
    text = re.sub(r"(?m)^  epochs: \d+", "  epochs: 2", params.read_text(encoding="utf-8"))
    params.write_text(text.replace("lines: 20", "lines: 2"), encoding="utf-8")
    chance, told = random.Random(2), ""
    for where, kind, first, last in (
        ("pipeline.train", KILL, 70, 100),
        ("pipeline.evaluate", FILL, 60, 400),
    ):
        fault = box.fault(where, kind, chance.randint(first, last))
        done = box.run("pipeline.repro", fault=fault)
        told += f"\n{kind} {where} at {fault.at}: {done.status} {done.struck}"
        assert done.status, f"{told}\n{done.said}"
        assert done.struck, f"{told}\n{done.said}"
        require_sentence(done, kind, told)
        assert champion_troubles(box.project) == [], told
    done = box.run("pipeline.repro")
    assert done.status == 0, f"{told}\n{done.said}"
    assert (
        champion_troubles(box.project) + store_troubles(box.project) + list(left_over(box.project)) == []
    ), told
    assert len(rows(box.project, "SELECT * FROM model_versions")) == 2, told
    for stage in ("fetch", "preprocess"):
        assert outputs(box.project, stage) == outputs(small_project, stage), told


@pytest.mark.heavy
@pytest.mark.parametrize("gone", ["", "data", "models/candidate", "models/champion"])
def test_a_cache_that_is_gone_is_made_anew(gone: str, box: Sandbox, undisturbed: Undisturbed) -> None:
    """Outputs that DVC cannot check out are made again, with the same result."""
    box.restore(undisturbed.after("evaluate"))
    shutil.rmtree(box.project / ".dvc" / "cache")
    if gone:
        shutil.rmtree(box.project / gone)
    done = box.run("pipeline.repro")
    assert done.status == 0, done.said
    assert "Traceback" not in done.said
    assert troubles(box.project, undisturbed.after("evaluate"), "evaluate") == [], done.said


@pytest.mark.heavy
def test_a_damaged_cache_ends_in_a_sentence_or_is_made_anew(box: Sandbox, undisturbed: Undisturbed) -> None:
    """All files in the cache are cut in half, and without outputs DVC would check out the halves."""
    box.restore(undisturbed.after("evaluate"))
    for path in (box.project / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file() and path.suffix != ".dir":
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for folder in ("data", "models/candidate"):
        shutil.rmtree(box.project / folder)
    for _ in range(3):  # one sentence for each stage at most
        done = box.run("pipeline.repro")
        assert "Traceback" not in done.said, done.said
        if done.status == 0:
            break
    assert done.status == 0, done.said
    assert troubles(box.project, undisturbed.after("evaluate"), "evaluate") == [], done.said


Command = Callable[[Sandbox], Done]


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("data", lambda box: box.run("pipeline.fetch")),
        ("models", lambda box: commands.command(box, "pipeline.promote", "1")),
        pytest.param("reports", lambda box: box.run("pipeline.preprocess"), marks=pytest.mark.heavy),
        pytest.param("models", lambda box: box.run("pipeline.train"), marks=pytest.mark.heavy),
    ],
    ids=["fetch", "promote", "preprocess", "train"],
)
def test_a_read_only_folder_is_named_and_then_all_goes_on(
    folder: str, command: Command, box: Sandbox, small_project: Path
) -> None:
    box.restore(small_project)
    shutil.rmtree(box.project / "data" / "raw" if folder == "data" else box.project / "models" / "champion")
    with read_only(box.project / folder):
        done = command(box)
    assert done.status == 1, done.said
    assert "Traceback" not in done.said, done.said
    assert re.search(rf"{folder}/.*(Read-only|Permission)", done.said), done.said
    done = command(box)
    assert done.status == 0, done.said


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make the folder read-only for everyone, including root if it can be remounted."""
    mounted = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False)
    mode = folder.stat().st_mode
    try:
        if mounted.returncode == 0:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        else:
            folder.chmod(0o555)
        try:
            (folder / "trial").touch()
        except OSError:
            yield
        else:
            (folder / "trial").unlink()
            pytest.skip("root can write to any folder here and cannot mount one, so no folder is read-only")
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)
        else:
            folder.chmod(mode)
