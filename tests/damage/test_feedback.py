"""Faults while feedback is stored. Feedback that was acknowledged is not lost."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from feedback.errors import FeedbackError, Full
from feedback.store import Limits, Store
from tests.damage.commands import forks
from tests.damage.inject.fault import FILL, KILL, TEAR, Fault, arm
from tests.damage.sandbox import Sandbox

PICTURES = 12  # pictures in one round
CHANGES = 6 * PICTURES  # of files in one round, approximately
ROUNDS = 4
LEFT = (0, 10, 300, 4096, 8192)  # bytes that still fit
LIMITS = Limits(free_bytes=0)  # so that the disk itself says that it is full


def picture(number: int) -> bytes:
    """Return a 3 KB file with the header of a PNG; no two of them fit into one page of a disk."""
    return b"\x89PNG\r\n\x1a\n" + str(number).encode() + random.Random(number).randbytes(3000)


def keep_all(folder: Path, numbers: range, acknowledged: Path, fault: Fault | None) -> None:
    """Store pictures one after another, and write the ids of stored ones to a file on another disk."""
    if fault is not None:
        arm(fault)
    store = Store(folder, LIMITS)
    with acknowledged.open("a", encoding="ascii", buffering=1) as file:
        for number in numbers:
            try:
                file.write(store.keep(picture(number), "7", "1", 0.5, "3") + "\n")
            except Full:
                continue


def judge_all(folder: Path, label: str, acknowledged: Path, fault: Fault) -> None:
    """Accept all feedback with another label, and write the ids to a file on another disk."""
    arm(fault)
    store = Store(folder, LIMITS)
    with acknowledged.open("a", encoding="ascii", buffering=1) as file:
        for one in store.kept():
            try:
                store.judge(one.id, "accepted", label)
            except Full:
                continue
            file.write(one.id + "\n")


def remove_all(folder: Path, fault: Fault) -> None:
    arm(fault)
    with suppress(FeedbackError):
        Store(folder, LIMITS).remove_all()


def damaged(box: Sandbox, work: Callable[..., None], arguments: tuple[Any, ...], fault: Fault) -> str:
    """Do the work in a process with the fault; returns how it ended."""
    box.log.unlink(missing_ok=True)
    process = forks().Process(target=work, args=(*arguments, fault))
    process.start()
    process.join(60)
    box.ballast.unlink(missing_ok=True)
    told = f"\n{fault.kind} at {fault.at}, {fault.left} left: {process.exitcode}"
    assert process.exitcode == 0 or fault.kind != FILL, told
    return told


SEEDS = [0, 1, 2, *(pytest.param(n, marks=pytest.mark.heavy) for n in range(3, 60))]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_judged_stays_judged_and_what_was_deleted_goes(
    seed: int, box: Sandbox, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    box.restore(None)
    folder, told = box.project / "feedback", ""

    def fault(changes: int) -> Fault:
        kind = chance.choice((KILL, FILL, TEAR))
        return box.fault("", kind, chance.randint(1, changes), chance.choice(LEFT))

    keep_all(folder, range(PICTURES), tmp_path / "kept", None)
    for turn in range(ROUNDS):
        acknowledged = tmp_path / f"judged-{turn}"
        told += damaged(box, judge_all, (folder, str(turn), acknowledged), fault(4 * PICTURES))
        require_kept(folder, tmp_path / "kept", told)
        judged = told_of(acknowledged)
        found = {one.id: (one.state, one.label) for one in Store(folder).kept()}
        assert {found[id] for id in judged} <= {("accepted", str(turn))}, told
    told += damaged(box, remove_all, (folder,), fault(2 * PICTURES))
    require_kept(folder, tmp_path / "nothing", told)
    Store(folder).remove_all()
    assert {path.name for path in folder.iterdir()} <= {".lock"}, told


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_acknowledged_is_kept(seed: int, box: Sandbox, tmp_path: Path) -> None:
    chance = random.Random(seed)
    box.restore(None)
    folder, acknowledged = box.project / "feedback", tmp_path / "acknowledged"
    told = ""
    for turn in range(ROUNDS):
        fault = box.fault(
            "", chance.choice((KILL, FILL, TEAR)), chance.randint(1, CHANGES), chance.choice(LEFT)
        )
        numbers = range(turn * PICTURES - 3, (turn + 1) * PICTURES)  # the first three were stored before
        told += damaged(box, keep_all, (folder, numbers, acknowledged), fault)
        require_kept(folder, acknowledged, told)
    keep_all(folder, range(-3, ROUNDS * PICTURES), acknowledged, None)
    require_kept(folder, acknowledged, told)
    assert len(Store(folder).kept()) == ROUNDS * PICTURES + 3, told


def told_of(acknowledged: Path) -> set[str]:
    """Return the ids in such a file. A line cut by a kill is joined with the next; both are left out."""
    text = acknowledged.read_text(encoding="ascii") if acknowledged.exists() else ""
    return {line for line in text.splitlines() if re.fullmatch("[0-9a-f]{64}", line)}


def require_kept(folder: Path, acknowledged: Path, told: str) -> None:
    """All acknowledged feedback is there and intact; `prepare` removes everything else."""
    store = Store(folder, LIMITS)
    store.prepare()
    kept = {one.id: one for one in store.kept()}
    assert told_of(acknowledged) <= kept.keys(), told
    for one in kept.values():
        assert hashlib.sha256(one.picture(folder).read_bytes()).hexdigest() == one.id, told
    assert store.damaged() == [], told
    names = {path.name for path in folder.iterdir()} - {".lock", ".trial"}
    assert names == {name for one in kept.values() for name in (one.file, f"{one.id}.json")}, told
