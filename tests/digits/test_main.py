from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digits
from digits.__main__ import main
from digits.reader import Reader

Make = Callable[..., Path]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    pixels = np.full((100, 100), 255, np.uint8)
    Image.fromarray(pixels).save(folder / "a blank.png")
    pixels[20:80, 40:50] = 0
    Image.fromarray(pixels).save(folder / "more" / "bar.JPG")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    return folder


def _run(folder: Path, *more: str) -> int:
    return main(["--model", str(folder), *more])


def test_main_reads_a_folder_and_a_bad_file_does_not_stop_it(
    make_folder: Make, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(make_folder(), str(pictures)) == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].endswith("a blank.png: blank")
    assert "bar.JPG: " in lines[1]
    assert len(lines) == 2
    assert "broken.png: It cannot be read" in err


def test_main_writes_csv(make_folder: Make, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(make_folder(), "--format", "csv", str(pictures))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [Path(row["file"]).name for row in rows] == ["a blank.png", "broken.png", "bar.JPG"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert rows[0]["text"] == ""
    assert (rows[2]["line"], rows[2]["number"]) == ("1", "1")
    assert 0 < float(rows[2]["confidence"]) < 1


def test_main_writes_json_that_says_what_the_reader_says(
    make_folder: Make, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_folder(version="3")
    _run(model, "--format", "json", str(pictures))
    written = json.loads(capsys.readouterr().out)
    blank, broken, bar = written["files"]
    summary = written["summary"]
    assert (summary["files"], summary["read"], summary["failed"], summary["complete"]) == (3, 2, 1, True)
    assert (blank["numbers"], blank["digits"]) == ([], [])
    assert "error" in broken
    with Image.open(pictures / "more" / "bar.JPG") as image:
        reading = Reader.load(model).read(image)
    assert (bar["text"], bar["model"]) == (reading.text, "3")
    assert bar["digits"][0]["box"] == list(reading.digits[0].box)
    assert [number["text"] for number in bar["numbers"]] == [number.text for number in reading.numbers]


def test_main_is_content_with_good_files(make_folder: Make, pictures: Path) -> None:
    assert _run(make_folder(), str(pictures / "a blank.png")) == 0


def test_main_names_a_missing_file(make_folder: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(make_folder(), "nowhere.png") == 1
    assert "nowhere.png: There is no such file." in capsys.readouterr().err


def test_main_says_so_where_a_folder_has_no_pictures(
    make_folder: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert _run(make_folder(), "--format", "json", str(tmp_path / "empty")) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["files"] == []
    assert "No pictures" in err


def test_main_says_where_there_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path / "none", "a.png") == 2
    assert "There is no model in" in capsys.readouterr().err


def test_main_names_the_kinds_of_files_that_it_skips(
    make_folder: Make, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(make_folder(), str(pictures / "more")) == 0
    assert capsys.readouterr().err == ""
    (pictures / ".git").mkdir()
    for name in ("a.docx", "b.PDF", "c.pdf", "LICENSE", ".DS_Store", ".git/config.txt"):
        (pictures / name).touch()
    _run(make_folder(), str(pictures), str(pictures / "a blank.png"))
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == ("Skipped 5 files that are not pictures: 2 .pdf, 1 without an extension, 1 .docx, 1 .txt.")
    (pictures / "more" / "one.txt").touch()
    _run(make_folder(), str(pictures / "more"))
    assert capsys.readouterr().err == "Skipped 1 file that is not a picture: 1 .txt.\n"


def test_help_says_what_the_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Exit status: 0 if all files were read; 1 if some could not be" in said
    assert all(part in said for part in ("; 2 without a model", "; 130 after Ctrl-C."))


def test_help_waits_for_no_heavy_package() -> None:
    """Importing them takes a second, during which Ctrl-C would end in a traceback before `main` begins."""
    code = (
        "import sys, digits.__main__; print({'numpy', 'cv2', 'onnxruntime', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", digits.__all__)
def test_package_has_what_it_names(name: str) -> None:
    assert getattr(digits, name) is not None
    assert name in vars(digits)


def test_package_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = digits.Nothing  # type: ignore[attr-defined]  # the name does not exist


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A picture of a table of two rows and two columns, one cell of which is empty."""
    pixels = np.full((170, 250), 255, np.uint8)
    pixels[20:23, 20:230] = pixels[80:83, 20:230] = pixels[140:143, 20:230] = 0
    pixels[20:143, 20:23] = pixels[20:143, 125:128] = pixels[20:143, 228:231] = 0
    for left, top in ((68, 35), (170, 35), (68, 95)):
        pixels[top : top + 35, left : left + 7] = 0
    path = tmp_path / "sheet.png"
    Image.fromarray(pixels).save(path)
    return path


def test_table_of_one_picture_goes_to_the_output(
    make_folder: Make, sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_folder()
    assert _run(model, "--table", str(sheet)) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [[bool(cell) for cell in row] for row in rows] == [[True, True], [True, False]]
    _run(model, "--table", "--min-confidence", "1", str(sheet))
    assert all(
        cell.endswith("?") for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row if cell
    )


def test_tables_of_several_pictures_go_to_a_file_each(
    make_folder: Make, sheet: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, model = tmp_path / "csv", make_folder()
    command = (model, "--table", "--output", str(output), str(sheet), str(pictures / "more"))
    assert _run(*command) == 0
    assert sorted(path.name for path in output.iterdir()) == ["bar.csv", "sheet.csv"]
    assert "bar.JPG: No table was found" in capsys.readouterr().err
    before = (output / "sheet.csv").read_bytes()
    assert len(list(csv.reader(io.StringIO(before.decode())))) == 2
    (output / "bar.csv").unlink()
    assert _run(*command) == 1
    assert "sheet.csv already exists" in capsys.readouterr().err
    assert (output / "sheet.csv").read_bytes() == before
    assert (output / "bar.csv").exists()


def test_a_folder_that_cannot_be_made_is_named(
    make_folder: Make, sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(make_folder(), "--table", "--output", str(sheet / "below"), str(sheet)) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_that_cannot_be_looked_into_is_named(
    make_folder: Make, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(make_folder(), "--table", "--output", str(tmp_path / ("long" * 100)), str(sheet)) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["2", "much", "nan"])
def test_min_confidence_is_a_share(make_folder: Make, share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run(make_folder(), "--table", "--min-confidence", share, "sheet.png")
    assert "must be a number from 0 to 1" in capsys.readouterr().err


def test_tables_of_a_folder_stand_as_its_pictures_do(make_folder: Make, sheet: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "sheets", tmp_path / "csv"
    (folder / "more").mkdir(parents=True)
    for path in (folder / "a.png", folder / "more" / "a.png"):
        path.write_bytes(sheet.read_bytes())
    assert _run(make_folder(), "--table", "--output", str(output), str(folder)) == 0
    found = sorted(path.relative_to(output) for path in output.rglob("*.csv"))
    assert found == [Path("a.csv"), Path("more/a.csv")]


def test_two_pictures_of_one_name_are_told_apart(
    make_folder: Make, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, output = [tmp_path / "one" / "a.png", tmp_path / "two" / "a.png"], tmp_path / "csv"
    for path in pictures:
        path.parent.mkdir()
        path.write_bytes(sheet.read_bytes())
    assert _run(make_folder(), "--table", "--output", str(output), *map(str, pictures)) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"{pictures[1]}: {output / 'a.csv'} is the table of {pictures[0]}, which has the same"
    )
    assert "already exists" not in said
    assert [path.name for path in output.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    "options", [("--table", "--format", "json"), ("--output", "csv"), ("--min-confidence", "0.9")]
)
def test_options_that_do_not_go_together_are_refused(
    make_folder: Make, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _run(make_folder(), *options, "sheet.png")
    assert "--table" in capsys.readouterr().err
