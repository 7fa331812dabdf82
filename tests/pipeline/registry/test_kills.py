"""Promotions that are killed at any moment leave a whole champion, and the next command finishes the rest."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from digits.network.model import Model
from pipeline.registry import runs, versions
from pipeline.registry.promotion import promote, sync

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]


def promote_for_ever(chosen: Sequence[str], begun: Event) -> None:
    """What each process does until it is killed: make one version after another the champion."""
    client = runs.connect()
    begun.set()
    for version in itertools.cycle(chosen):
        promote(client, version, "a test", "test")


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.heavy)])
@pytest.mark.timeout(1200)
def test_promotion_that_is_killed_leaves_a_whole_champion(
    kills: int, project: Path, make_candidate: Callable[..., Path]
) -> None:
    chosen = []
    for favourite in (1, 2):
        with runs.training_run({"seed": favourite}) as run_id:
            candidate = make_candidate(favourite, run_id=run_id)
            chosen.append(versions.register(runs.connect(), run_id, candidate, {}))
    promote(runs.connect(), chosen[0], "a test", "test")

    random = np.random.default_rng(kills)
    context = multiprocessing.get_context("forkserver")  # MLflow is imported once, and not used before a fork
    context.set_forkserver_preload(["pipeline.registry.promotion"])
    served = set()
    for _ in range(kills):
        begun = context.Event()
        process = context.Process(target=promote_for_ever, args=(chosen, begun))
        process.start()
        assert begun.wait(60)
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        process.join()
        manifest = Model.load(project / "models" / "champion").manifest
        served.add(manifest.version)
        assert manifest.version in chosen
    assert served == set(chosen) or kills < 10, "no process has promoted the other one"
    finished = sync(runs.connect())
    version = versions.champion_version(runs.connect())
    assert finished is not None
    assert version is not None
    assert finished.version == str(version.version)
    left = {path.name for path in (project / "models" / "champion").iterdir()}
    assert len([name for name in left if name.endswith(".onnx")]) <= 2
    promote(runs.connect(), chosen[0], "a test", "test")
    assert not [path for path in (project / "models" / "champion").iterdir() if path.name.startswith(".")]
