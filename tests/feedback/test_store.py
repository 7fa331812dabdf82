"""The store keeps what it acknowledged, within its limits, whoever else writes and whatever dies."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from feedback import store as store_module
from feedback.errors import FeedbackError, Full, Unusable
from feedback.record import as_json, of_json
from feedback.store import Limits, Store

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def picture(name: object, size: int = 0) -> bytes:
    """Bytes that begin as a PNG does; the store checks only the beginning."""
    return PNG + str(name).encode() + bytes(size)


def keep(store: Store, name: object, label: str = "7") -> str:
    return store.keep(picture(name), label, "1", 0.98, "12")


def names(store: Store) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "feedback", Limits(free_bytes=0))


def test_a_picture_is_kept_as_received_with_all_that_is_known(store: Store) -> None:
    sha256 = keep(store, "a", "2047")
    assert sha256 == hashlib.sha256(picture("a")).hexdigest()
    (kept,) = store.kept()
    assert (kept.id, kept.file, kept.label, kept.answer) == (sha256, f"{sha256}.png", "2047", "1")
    assert (kept.confidence, kept.model, kept.state) == (0.98, "12", "new")
    assert kept.received.endswith("+00:00")
    assert kept.picture(store.folder).read_bytes() == picture("a")
    assert of_json(as_json(kept)) == kept
    assert names(store) == {kept.file, f"{sha256}.json"}
    assert store.folder.stat().st_mode & 0o077 == 0, "only for whoever runs the service"


@pytest.mark.parametrize(
    ("begin", "ending"),
    [(PNG, "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF89a", "gif"), (b"BM", "bmp"), (b"II*\0", "tif"),
     (b"MM\0*", "tif"), (b"RIFF\0\0\0\0WEBP", "webp")],
)  # fmt: skip
def test_the_name_says_the_kind(store: Store, begin: bytes, ending: str) -> None:
    store.keep(begin + b"...", "7", "", None, "12")
    assert store.kept()[0].file.endswith(f".{ending}")


def test_a_file_that_is_not_a_picture_is_refused(store: Store) -> None:
    with pytest.raises(FeedbackError, match="not a picture"):
        store.keep(b"#!/bin/sh", "7", "", None, "12")
    assert store.kept() == []


def test_a_picture_again_is_one_and_the_newest_label_wins_until_it_is_judged(store: Store) -> None:
    sha256 = keep(store, "a", "7")
    assert keep(store, "a", "1") == sha256
    assert [kept.label for kept in store.kept()] == ["1"]
    store.judge(sha256, "accepted")
    keep(store, "a", "9")
    assert [(kept.label, kept.state) for kept in store.kept()] == [("1", "accepted")]
    store.judge(sha256, "dropped", label="not_a_digit")
    assert [(kept.label, kept.state) for kept in store.kept()] == [("not_a_digit", "dropped")]
    with pytest.raises(FeedbackError, match="There is no feedback with the id"):
        store.judge("0" * 64, "accepted")


def test_a_folder_that_is_not_there_holds_nothing(store: Store) -> None:
    assert store.kept() == []
    assert store.damaged() == []
    assert store.count() == 0
    store.remove_all()
    assert not store.folder.exists()


def test_feedback_is_deleted_one_by_one_and_whole_and_nothing_else_is(store: Store) -> None:
    ids = [keep(store, name) for name in "abc"]
    (store.folder / f"{ids[2]}.json").write_text("damaged")
    (store.folder / "thesis.json").write_text("somebody else's")
    store.remove([ids[0]])
    assert names(store) == {
        f"{ids[1]}.json",
        f"{ids[1]}.png",
        f"{ids[2]}.json",
        f"{ids[2]}.png",
        "thesis.json",
    }
    store.remove_all()
    assert names(store) == {"thesis.json"}


def test_limits_refuse_more_and_leave_nothing_half_written(store: Store) -> None:
    few = Store(store.folder, Limits(most=2, free_bytes=0))
    keep(few, "a"), keep(few, "b")
    before = names(few)
    with pytest.raises(Full, match=r"2 pictures are stored already.*FEEDBACK_MOST"):
        keep(few, "c")
    assert keep(few, "a", "1"), "what is kept can still be corrected"
    small = Store(store.folder, Limits(most_bytes=2**20, free_bytes=0))
    with pytest.raises(Full, match=r"fill 1 MiB already.*FEEDBACK_MEGABYTES"):
        small.keep(picture("d", 2**20), "7", "1", None, "12")
    careful = Store(store.folder, Limits(free_bytes=2**60))
    with pytest.raises(Full, match=r"The disk has less than.*FEEDBACK_FREE_MEGABYTES"):
        keep(careful, "e")
    assert names(store) == before


def test_leftovers_of_killed_processes_are_removed_and_other_files_stay(store: Store) -> None:
    sha256 = keep(store, "a")
    before = names(store)
    (store.folder / f"{'0' * 64}.png").write_bytes(b"half a pict")
    (store.folder / f".{sha256}.json").write_text('{"id')
    (store.folder / "notes.txt").write_text("somebody else's")
    assert len(store.kept()) == 1
    store.prepare()
    assert names(store) == before | {"notes.txt"}


def test_a_damaged_record_is_named_and_hides_no_other(store: Store) -> None:
    damaged, gone, whole = (keep(store, name) for name in "abc")
    (store.folder / f"{damaged}.json").write_text('{"id": "')
    (store.folder / f"{gone}.png").unlink()
    assert [kept.id for kept in store.kept()] == [whole]
    assert {path.stem for path in store.damaged()} == {damaged, gone}
    keep(store, "a")
    assert damaged in {kept.id for kept in store.kept()}, "sent again, it is whole again"


def test_a_record_cannot_name_a_file_elsewhere(store: Store) -> None:
    sha256 = keep(store, "a")
    path = store.folder / f"{sha256}.json"
    path.write_text(path.read_text().replace(f"{sha256}.png", "../../secret.png"))
    assert store.kept() == []


@pytest.mark.parametrize("where", ["file", "file/below", "/dev/null", "/proc/feedback"])
def test_a_folder_that_cannot_be_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match=r"Feedback cannot be stored in .*Set FEEDBACK_DIR"):
        Store(tmp_path / where).prepare()


def test_the_picture_is_synced_before_its_record_and_the_folder_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    steps: list[str] = []
    rename, sync = Path.replace, os.fsync

    def renamed(path: Path, target: Path) -> Path:
        steps.append(f"rename to {target.suffix}")
        return rename(path, target)

    def synced(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").resolve()
        steps.append(f"sync {path.suffix or 'folder'}")
        sync(handle)

    monkeypatch.setattr(Path, "replace", renamed)
    monkeypatch.setattr(os, "fsync", synced)
    keep(store, "a")
    assert steps == ["sync .png", "sync .json", "rename to .json", "sync folder"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond this many bytes, as on a disk that becomes full in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 100, 5000])  # in the picture, and in the JSON after a small picture
def test_a_disk_that_fills_up_leaves_nothing_half_written(store: Store, room: int) -> None:
    keep(store, "before")
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    with largest_file(room), pytest.raises(Full, match="The disk is full"):
        store.keep(picture("x", 10 if room == 100 else 10_000), "7", "1", None, "12")
    with largest_file(10), pytest.raises(Full):
        keep(store, "before", "9")
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before
    assert keep(store, "x")


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of half a megabyte, which only root may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("NO MOUNT: a little tmpfs cannot be mounted here, so no disk is really full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_refuses_more_and_loses_nothing(little_disk: Path) -> None:
    store = Store(little_disk / "feedback", Limits(free_bytes=0))
    kept: list[str] = []

    def fill() -> None:
        for number in range(100):
            kept.append(store.keep(picture(number, 30_000 + 1000 * number), "7", "1", None, "12"))

    with pytest.raises(Full):
        fill()
    assert len(kept) > 5
    (little_disk / "rest").write_bytes(
        bytes(os.statvfs(little_disk).f_bavail * os.statvfs(little_disk).f_bsize)
    )
    with pytest.raises(Full):
        keep(store, "last")
    with pytest.raises(Full):
        store.judge(kept[0], "accepted")
    store.prepare()
    assert sorted(one.id for one in store.kept()) == sorted(kept)
    assert {one.state for one in store.kept()} == {"new"}
    assert len(names(store)) == 2 * len(kept)
    store.remove(kept[:1])
    assert keep(store, "last") in {one.id for one in store.kept()}, "deleting works on a full disk"


def test_an_error_at_the_very_end_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the folder cannot be synced, the picture is not acknowledged, but it is stored completely."""

    def fail(_folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store.prepare()
    monkeypatch.setattr(store_module, "_sync", fail)
    with pytest.raises(Unusable, match="Input/output error"):
        keep(store, "a")
    assert len(store.kept()) == 1
    assert store.damaged() == []


def keep_many(folder: Path, first: int, how_many: int, most: int) -> tuple[int, int]:
    """Store pictures that other processes store too; returns how many were stored and how many refused."""
    store, refused = Store(folder, Limits(most=most, free_bytes=0)), 0
    for number in range(first, first + how_many):
        try:
            keep(store, number, str(number % 10))
        except Full:
            refused += 1
    return how_many - refused, refused


def test_processes_that_keep_the_same_pictures_keep_each_once(store: Store) -> None:
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        jobs = [pool.submit(keep_many, store.folder, 0, 30, 1000) for _ in range(3)]
        assert [job.result() for job in jobs] == [(30, 0)] * 3
    assert len(store.kept()) == 30
    assert len(names(store)) == 60


def test_processes_together_keep_no_more_than_the_limit(store: Store) -> None:
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        jobs = [pool.submit(keep_many, store.folder, 100 * first, 20, 25) for first in range(3)]
        done = [job.result() for job in jobs]
    assert sum(kept for kept, _ in done) == 25
    assert len(store.kept()) == 25


KEEPER = """
import sys
from pathlib import Path
from feedback.store import Limits, Store
store = Store(Path(sys.argv[1]), Limits(free_bytes=0))
store.prepare()
for number in range(int(sys.argv[2]), 10**9):
    picture = b"\\x89PNG\\r\\n\\x1a\\n" + str(number).encode() + bytes(200_000)
    print(store.keep(picture, "7", "1", 0.5, "12"), flush=True)
"""


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.heavy)])
def test_nothing_that_was_acknowledged_is_lost_by_kill_9(store: Store, kills: int) -> None:
    acknowledged: set[str] = set()
    for round_ in range(kills):
        command = [sys.executable, "-c", KEEPER, str(store.folder), str(round_ * 10**6)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        acknowledged.add(process.stdout.readline().strip())
        time.sleep(random.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.communicate()[0].splitlines() if len(line) == 64}
        kept = store.kept()
        assert acknowledged <= {one.id for one in kept}
        for one in kept:
            assert hashlib.sha256(one.picture(store.folder).read_bytes()).hexdigest() == one.id
    store.prepare()
    assert store.damaged() == []
    assert len(names(store)) == 2 * len(store.kept())
