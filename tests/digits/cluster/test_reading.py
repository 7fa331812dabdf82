"""Reading parts in this process: which pictures are found, and the rows of damaged ones."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from digits.cluster import archives
from digits.cluster.answers import Counts, Shape, counts_of
from digits.cluster.parts import Part, parts_of
from digits.cluster.places import Folder
from digits.cluster.reading import Read, file_of, read_part
from digits.cluster.sources import Source, sources_of
from digits.results import Reading
from tests.cluster.scans import write_archive

SHAPE = Shape("parquet")
HELD = {f"{number}.png": b"%d" % number for number in range(5)}


def read(data: bytes) -> Reading | str:
    """A fake reader whose answer is the bytes themselves."""
    return Reading(data.decode(), (), (), (), "")


def found(*inputs: Path | str) -> list[Source]:
    return sources_of([str(one) for one in inputs], lambda _: None)


def answers(sources: Sequence[Source], out: Path) -> dict[str, tuple[str, str]]:
    """The text and the error of every row, by file; no file may have two rows."""
    out.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    for part in parts_of(sources, "", 3):
        read_part(part, read, unexpected, Folder(str(out)), SHAPE)
        rows.extend(pq.read_table(out / file_of(part, SHAPE)).to_pylist())
    told = {row["file"]: (row["text"] or "", row["error"] or "") for row in rows}
    assert len(told) == len(rows)
    return told


def unexpected() -> Read:
    raise AssertionError("nothing has gone wrong before")


@pytest.mark.parametrize("name", ["a b.zip", "ä.tar", "c.tar.gz"])
def test_an_archive_is_read_member_by_member(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, HELD | {"notes.txt": b"no picture", "__MACOSX/._0.png": b"no picture"})
    told = answers(found(tmp_path / name), tmp_path / "out")
    assert told == {f"{tmp_path}/{name}/{inner}": (data.decode(), "") for inner, data in HELD.items()}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_an_archive_that_is_cut_off_is_an_error_and_what_is_before_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(1)
    held = {f"{number}.png": noise.bytes(20_000) for number in range(5)}  # like pictures, not compressible
    write_archive(path, held)
    path.write_bytes(path.read_bytes()[:50_000])
    out = tmp_path / "out"
    out.mkdir()
    sources = found(path)
    for part in parts_of(sources, "", 3):
        read_part(
            part, lambda data: Reading(f"{len(data)}", (), (), (), ""), unexpected, Folder(str(out)), SHAPE
        )
    rows = [row for file in out.glob("part-*") for row in pq.read_table(file).to_pylist()]
    whole = {row["file"]: row["text"] for row in rows if not row["error"]}
    assert whole == {file: f"{len(held[Path(file).name])}" for file in whole}
    assert len(whole) == 0 if name == "a.zip" else 0 < len(whole) < 5
    (error,) = [row["error"] for row in rows if row["file"] == str(path)]
    assert error.startswith("The archive cannot be read to its end (")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.tar.bz2"])
def test_what_is_no_archive_at_all_is_one_row(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive, whatever its name says" * 100)
    ((file, (text, error)),) = answers(found(tmp_path), tmp_path / "out").items()
    assert (file, text) == (str(tmp_path / name), "")
    assert error.startswith("The archive cannot be read to its end (")


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tar", "bomb.tar.gz"])
def test_a_member_that_unpacks_to_too_much_is_an_error_and_no_more(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archive(tmp_path / name, HELD | {"bomb.png": bytes(200_000), "last.png": b"9"})
    monkeypatch.setattr(archives, "MOST_BYTES", 100_000)
    told = answers(found(tmp_path / name), tmp_path / "out")
    bomb = told.pop(f"{tmp_path}/{name}/bomb.png")
    assert bomb[0] == ""
    assert "it has 200,000 bytes, more than the limit of 100,000" in bomb[1]
    assert told.pop(f"{tmp_path}/{name}/last.png") == ("9", "")
    assert len(told) == len(HELD)


def test_a_zip_that_lies_about_a_member_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.png", b"picture one")
        archive.writestr("b.png", b"picture two")
    path.write_bytes(path.read_bytes().replace(b"picture one", b"picture 111"))
    told = answers(found(path), tmp_path / "out")
    assert told[f"{path}/b.png"] == ("picture two", "")
    assert "CRC" in told[f"{path}/a.png"][1]


def test_members_of_one_name_are_a_row_each(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for content in ("1", "2"):
            (tmp_path / "same").write_text(content)
            archive.add(tmp_path / "same", "same.png")
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    told = answers(found(tmp_path), tmp_path / "out")
    for name in ("a.tar", "a.tar.gz"):
        assert told[f"{tmp_path}/{name}/same.png"] == ("1", "")
        assert told[f"{tmp_path}/{name}/same.png#2"] == ("2", "")


def test_a_file_that_is_not_there_or_went_away_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "gone.png").write_bytes(b"1")
    sources = found(tmp_path / "gone.png", tmp_path / "never.png")
    (tmp_path / "gone.png").unlink()
    told = answers(sources, tmp_path / "out")
    assert told == {
        str(tmp_path / name): ("", "There is no such file.") for name in ("gone.png", "never.png")
    }


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "umlaut ä\n.png").write_bytes(b"1")
    try:
        (tmp_path / "no \udcff text.png").write_bytes(b"2")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    told = answers(found(tmp_path), tmp_path / "out")
    assert told == {
        f"{tmp_path}/umlaut ä\n.png": ("1", ""),
        f"{tmp_path}/no \\xff text.png": ("2", ""),
    }


def test_inputs_that_overlap_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"1")
    write_archive(tmp_path / "in" / "b.zip", HELD)
    assert len(found(tmp_path, tmp_path / "in", tmp_path / "in" / "b.zip")) == 1 + len(HELD)


def part_of(folder: Path, *texts: str) -> Part:
    for text in texts:
        (folder / f"{text}.png").write_bytes(text.encode())
    (part,) = parts_of(found(folder), "", 100)
    return part


def test_a_part_that_is_there_is_not_read_again(tmp_path: Path) -> None:
    part = part_of(tmp_path, "1", "2")
    folder = Folder(str(tmp_path))
    assert read_part(part, read, unexpected, folder, SHAPE) == Counts(2, 0)

    def never(_: bytes) -> str:
        raise AssertionError("it is read again")

    assert read_part(part, never, unexpected, folder, SHAPE) == Counts(2, 0)


def test_what_ends_the_process_leaves_no_part_and_is_read_with_care(tmp_path: Path) -> None:
    part = part_of(tmp_path, "1", "2")
    folder = Folder(str(tmp_path))

    def ends(_: bytes) -> str:
        raise SystemExit

    with pytest.raises(SystemExit):
        read_part(part, ends, unexpected, folder, SHAPE)
    assert not [*tmp_path.glob("*.csv")]
    counts = read_part(part, ends, lambda: lambda _: "It is too much.", folder, SHAPE)
    assert counts == Counts(2, 2) == counts_of(folder, file_of(part, SHAPE))
    assert not [*tmp_path.glob(".*")]
