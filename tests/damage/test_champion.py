"""Faults at random points of promotion, rollback, sync and the follower, while a service runs."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from digits.network.model import Manifest
from digits.reader import DEFAULT_MODEL
from pipeline.registry import runs, versions
from tests.damage import commands
from tests.damage.inject.fault import COUNT, FILL, KILL, TEAR, Fault
from tests.damage.sandbox import Done, Sandbox
from tests.damage.test_stages import LEFT, require_sentence
from tests.damage.wholeness import champion_troubles, left_over, rows, store_troubles
from tests.pipeline.conftest import EXAMPLE
from tests.service.conftest import Server, draw, serving
from tests.service.encoding import encoded

VERSIONS = ("1", "2", "3")
POINTS = 5  # faults in one test
KINDS = (KILL, KILL, FILL, TEAR)
COMMANDS = ("promote", "promote", "rollback", "sync", "follow")
SEVEN = encoded(draw("7"))
Seen = list[tuple[object, ...]]


@pytest.fixture(scope="session")
def registry(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three versions of the default model, the first of which is the champion."""
    box.restore(None)
    process = commands.forks().Process(target=_register, args=(box.project,))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    for version in ("2", "1"):
        assert commands.command(box, "pipeline.promote", version).status == 0
    return Path(shutil.copytree(box.project, tmp_path_factory.mktemp("registry") / "project"))


def _register(project: Path) -> None:
    commands.stand_in(project)
    for number in VERSIONS:
        with runs.training_run({"seed": number}) as run_id:
            folder = Path(shutil.copytree(DEFAULT_MODEL, f"models/{number}"))
            manifest = Manifest.load(folder)
            model = onnx.load(folder / manifest.file)
            model.doc_string = number  # makes the file of each version different
            content = model.SerializeToString()
            (folder / manifest.file).write_bytes(content)
            done = replace(manifest, sha256=hashlib.sha256(content).hexdigest(), run_id=run_id)
            (folder / "manifest.json").write_text(json.dumps(done.as_dict()), encoding="utf-8")
        with runs.reopened_run(run_id, {}) as (client, _):
            versions.register(client, run_id, folder, {}, EXAMPLE)


@pytest.fixture(scope="session")
def changes(box: Sandbox, registry: Path) -> dict[str, int]:
    """Count the file changes of each undisturbed command."""
    found = {}
    for name in set(COMMANDS) - {"follow"}:
        box.restore(registry)
        if name == "sync":
            shutil.rmtree(box.project / "models" / "champion")
        done = commands.command(box, *arguments(name, "3"), fault=box.fault("", COUNT, 0))
        assert done.status == 0, done.said
        found[name] = int(json.loads(done.struck)["changes"])
    return found | {"follow": found["sync"]}


@pytest.fixture(scope="session")
def service(box: Sandbox, registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    box.restore(registry)
    with serving(box.project / "models" / "champion", tmp_path_factory.mktemp("service") / "home") as server:
        yield server


def arguments(name: str, version: str) -> tuple[str, ...]:
    return {
        "promote": ("pipeline.promote", version, "--reason", "a test"),
        "rollback": ("pipeline.rollback",),
        "sync": ("pipeline.promote", "--sync"),
        "follow": ("pipeline.follow",),
    }[name]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.heavy) for n in range(2, 60))])
def test_no_champion_is_lost_and_the_next_command_finishes(
    seed: int, box: Sandbox, registry: Path, changes: dict[str, int], service: Server
) -> None:
    chance = random.Random(seed)
    box.restore(registry)
    told = ""
    for _ in range(POINTS):
        name, version = chance.choice(COMMANDS), chance.choice(VERSIONS)
        kind, at = chance.choice(KINDS), chance.randint(1, changes[name])
        fault = box.fault("", kind, at, chance.choice(LEFT))
        before = record(box)
        if name == "sync":
            shutil.rmtree(box.project / "models" / "champion")
        if name == "follow":
            move_alias(box, version)
            done = follow_a_while(box, fault)
        else:
            done = commands.command(box, *arguments(name, version), fault=fault)
        told += f"\n{kind} {name} {version} at {at}, {fault.left} left: {done.status} {done.struck}"
        if name != "follow":
            require_sentence(done, kind, told)
        answers(service, told)
        finished = commands.command(box, "pipeline.promote", "--sync")
        assert finished.status == 0, f"{told}\n{finished.said}"
        after = record(box)
        assert after[: len(before)] == before, told
        assert champion_troubles(box.project) + store_troubles(box.project) == [], told
        assert len(rows(box.project, "SELECT * FROM model_versions")) == len(VERSIONS), told
        assert json.loads(str(after[-1][1]))["to"] == alias(box), told
        answers(service, told)
    for version in VERSIONS:
        assert commands.command(box, "pipeline.promote", version).status == 0
    assert list(left_over(box.project)) == [], told
    assert len(list((box.project / "models" / "champion").glob("*.onnx"))) <= 2, told


def record(box: Sandbox) -> Seen:
    """The recorded changes of the champion, oldest first."""
    query = "SELECT key, value FROM registered_model_tags WHERE key LIKE 'promotion.0%' ORDER BY key"
    return rows(box.project, query)


def alias(box: Sandbox) -> str:
    ((version,),) = rows(box.project, "SELECT version FROM registered_model_aliases")
    return str(version)


def move_alias(box: Sandbox, version: str) -> None:
    """Move the alias as MLflow's UI does, without this project's code."""
    with closing(sqlite3.connect(box.project / "mlruns" / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE registered_model_aliases SET version = ?", (version,))


def follow_a_while(box: Sandbox, fault: Fault) -> Done:
    """Run a follower until it is killed or the files match the alias; a full disk is freed."""
    follower = commands.begin(box, "pipeline.follow", fault=fault)
    try:
        end = time.monotonic() + 30
        while follower.is_alive() and champion_troubles(box.project):
            if box.log.exists() and box.ballast.exists():
                time.sleep(0.7)  # it has tried, and failed
                box.ballast.unlink()
            assert time.monotonic() < end, commands.said(box)
            time.sleep(0.05)
    finally:
        follower.kill()
        follower.join()
    return commands.ended(box, follower)


def answers(service: Server, told: str) -> None:
    """The service reads a digit, whatever is in its folder."""
    answer = service.post("/predict", SEVEN)
    assert answer.status_code == 200, f"{told}\n{answer.text}\n{service.log.read_text()}"
    assert answer.json()["digit"] == 7, told
