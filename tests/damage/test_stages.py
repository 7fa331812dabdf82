"""Faults at random points of a stage: a kill, a kill in the middle of a write, or a full disk.

Each test runs one command several times, each time with a fault, from the state that the previous one left.
The last run has no fault and must succeed. A failed test prints its faults; running it again repeats them.
"""

from __future__ import annotations

import random
import re

import pytest

from pipeline.repro import RWLOCK, remove_torn_lock
from tests.damage.conftest import Undisturbed
from tests.damage.inject.fault import FILL, KILL, TEAR
from tests.damage.sandbox import Done, Sandbox
from tests.damage.wholeness import STAGES, troubles

pytestmark = pytest.mark.timeout(1200)

KINDS = (KILL, FILL, TEAR)
LEFT = (0, 100, 4096, 20_000, 100_000)  # bytes that still fit
ROOM = re.compile(r"[Nn]o space left|disk is full|disk I/O error|File too large|cannot be written")
CHAINS = {"fetch": 12, "preprocess": 8, "train": 8, "evaluate": 8}
LENGTH = 5


@pytest.mark.heavy
@pytest.mark.parametrize(("stage", "seed"), [(stage, n) for stage in STAGES for n in range(CHAINS[stage])])
def test_stage_goes_on_after_whatever_happened(
    stage: str, seed: int, box: Sandbox, undisturbed: Undisturbed
) -> None:
    chance = random.Random(f"{stage} {seed}")
    box.restore(undisturbed.before(stage))
    told = ""
    for _ in range(LENGTH):
        where = chance.choice(["dvc", *[f"pipeline.{stage}"] * 4])
        kind, at = chance.choice(KINDS), chance.randint(1, undisturbed.changes[stage][where])
        left = chance.choice(LEFT)
        done = box.run("dvc", "repro", stage, fault=box.fault(where, kind, at, left))
        told += f"\n{kind} {where} at {at}, {left} left: {done.status} {done.struck}"
        require_sentence(done, kind, told)
        remove_torn_lock(box.project / RWLOCK)  # as `make repro` does before it calls DVC
    last = box.run(*(("pipeline.repro",) if stage == "evaluate" else ("dvc", "repro", stage)))
    assert last.status == 0, f"{told}\n{last.said}"
    assert not troubles(box.project, undisturbed.after(stage), stage), f"{told}\n{last.said}"


def require_sentence(done: Done, kind: str, told: str) -> None:
    """A kill prints nothing, a full disk is reported in a sentence, and there is never a traceback."""
    assert "Traceback" not in done.said, f"{told}\n{done.said}"
    if done.status and done.struck and kind == FILL:
        assert ROOM.search(done.said), f"{told}\n{done.said}"
