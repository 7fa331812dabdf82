"""`python -m digits FOLDER --cluster` on a real cluster of two nodes, one of which is lost on the way."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cluster.command import Answers, answers_in, finished, started
from tests.cluster.nodes import TwoNodes
from tests.cluster.s3 import Bucket
from tests.ports import free_port

FIRST_SECONDS = 240  # for Ray to start its workers on a busy machine


def parts_in(folder: Path) -> set[Path]:
    return {*folder.glob("part-*")}


def wait_for_parts(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + FIRST_SECONDS
    while len(parts_in(folder)) < count:
        assert process.poll() is None, finished(process)
        assert time.monotonic() < deadline, "no part has been written"
        time.sleep(0.02)


def test_two_nodes_answer_what_one_process_answers(
    two_nodes: TwoNodes, scans: Path, expected: Answers, tmp_path: Path
) -> None:
    arguments = ("scans", "--cluster", two_nodes.address, "--format", "csv", "--part-files", "8")
    status, _, err = finished(
        started(*arguments, "--output", str(tmp_path / "out"), cwd=scans, **two_nodes.variables)
    )
    assert status == 1, err
    assert answers_in(tmp_path / "out") == expected
    assert [row["file"] for row in expected if row["error"]] == ["scans/broken.png"]
    assert "2 cores" in err
    assert "61 files were read, 1 of them with errors" in err
    assert "ray" not in err.lower()
    assert {path.name.partition("-")[0] for path in (tmp_path / "out").iterdir()} == {"part", "_digits.json"}
    assert json.loads((tmp_path / "out" / "_digits.json").read_text())["complete"]


@pytest.mark.heavy
def test_s3_gives_and_takes_the_same(
    two_nodes: TwoNodes, bucket: Bucket, scans: Path, expected: Answers, tmp_path: Path
) -> None:
    bucket.upload(scans / "scans", "in")
    arguments = ("s3://scans/in", "--cluster", two_nodes.address, "--output", "s3://scans/out/")
    process = started(*arguments, "--part-files", "16", cwd=tmp_path, **two_nodes.variables)
    status, _, err = finished(process)
    assert status == 1, err
    bucket.download("out", tmp_path / "out")
    rows = [row for path in parts_in(tmp_path / "out") for row in pq.read_table(path).to_pylist()]
    rows.sort(key=lambda row: row["file"])
    told = []
    for row in rows:
        numbers = row["numbers"] or [{"text": "", "confidence": None}]
        for number in numbers:
            sure = number["confidence"]
            told.append(
                {
                    "file": row["file"].replace("s3://scans/in/", "scans/"),
                    "text": number["text"],
                    "confidence": "" if sure is None else f"{min(sure, 0.9999):.4f}",
                    "error": row["error"] or "",
                }
            )
    assert told == [{name: row[name] for name in told[0]} for row in expected]


@pytest.mark.heavy
def test_interrupted_and_started_again_it_reads_only_the_rest(
    two_nodes: TwoNodes, pages: Path, expected_pages: Answers, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("pages", "--cluster", two_nodes.address, "--output", str(out), "--format", "csv")
    process = started(*arguments, "--part-files", "2", cwd=pages, **two_nodes.variables)
    wait_for_parts(out, 2, process)
    process.send_signal(signal.SIGINT)
    status, _, err = finished(process)
    assert status == 130, err
    assert err.endswith("Interrupted. Run the same command again to continue.\n")
    assert not json.loads((out / "_digits.json").read_text())["complete"]
    before = {path: path.stat().st_mtime_ns for path in parts_in(out)}
    assert len(before) >= 2
    assert len(answers_in(out)) < len(expected_pages)
    status, _, err = finished(started(*arguments, "--part-files", "2", cwd=pages, **two_nodes.variables))
    assert status == 0, err
    assert "files were answered by earlier runs" in err
    assert answers_in(out) == expected_pages
    assert {path: path.stat().st_mtime_ns for path in before} == before


def lose_a_node(cluster: TwoNodes, pages: Path, out: Path, after: int) -> Answers:
    arguments = ("pages", "--cluster", cluster.address, "--output", str(out), "--format", "csv")
    process = started(*arguments, "--part-files", "2", cwd=pages, **cluster.variables)
    try:
        wait_for_parts(out, after, process)
        cluster.lose()
        there = len(parts_in(out))
        status, _, err = finished(process)
    finally:
        process.kill()
        process.wait()
    assert there < len(parts_in(out)), "the node was lost when all had been read"
    assert status == 0, err
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    return answers_in(out)


@pytest.mark.heavy
def test_a_node_that_is_lost_in_the_middle_loses_and_doubles_nothing(
    two_nodes: TwoNodes, pages: Path, expected_pages: Answers, tmp_path: Path
) -> None:
    try:
        assert lose_a_node(two_nodes, pages, tmp_path / "out", after=2) == expected_pages
    finally:
        two_nodes.add()


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(8))
def test_a_node_may_be_lost_at_any_moment(
    two_nodes: TwoNodes, pages: Path, expected_pages: Answers, tmp_path: Path, seed: int
) -> None:
    try:
        after = random.Random(seed).randrange(14)
        assert lose_a_node(two_nodes, pages, tmp_path / "out", after) == expected_pages
    finally:
        two_nodes.add()


def test_where_there_is_no_cluster_it_says_so_at_once(scans: Path, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    status, out, err = finished(
        started("scans", "--cluster", address, "--output", str(tmp_path / "out"), cwd=scans)
    )
    assert (status, out) == (2, "")
    assert err.startswith(f"There is no cluster at {address} (")
    assert time.monotonic() - began < 60
    assert not (tmp_path / "out").exists()
