"""`make feedback` counts, shows, accepts, drops, exports and deletes feedback."""

from __future__ import annotations

import builtins
import json
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from feedback.store import Limits, Store
from pipeline import feedback
from pipeline.reviewing.sheet import in_letters

Command = Callable[..., int]


def png(shade: int, size: tuple[int, int] = (40, 30)) -> bytes:
    file = BytesIO()
    Image.new("L", size, shade).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Five pictures in a project's folder: three sevens, one 2047, and one that is not a digit."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    made = Store(tmp_path / "data" / "feedback", Limits(free_bytes=0))
    for shade, label, answer in ((0, "7", "1"), (50, "7", "1"), (100, "7", "?"), (150, "2047", "204?")):
        made.keep(png(shade), label, answer, 0.9, "12")
    made.keep(png(200), "not_a_digit", "8\n4", None, "12")
    return made


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["feedback", *arguments])
        return feedback.main()

    return run


def states(store: Store) -> dict[str, list[str]]:
    """The labels in each state."""
    found: dict[str, list[str]] = {}
    for one in store.kept():
        found.setdefault(one.state, []).append(one.label)
    return {state: sorted(labels) for state, labels in found.items()}


def test_counts_are_printed_and_a_contact_sheet_is_written(
    store: Store, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--accept", "--label", "2047") == 0
    assert command() == 0
    said = capsys.readouterr().out
    assert f"5 pictures in {store.folder}: 4 new, 1 accepted, 0 dropped." in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line}
    assert rows["7"] == ["7", "3", "0", "0", "1", "(2),", "?", "(1)"]
    assert rows["2047"] == ["2047", "0", "1", "0", "204?", "(1)"]
    assert "8 / 4 (1)" in said
    sheet = tmp_path / "build" / "feedback.png"
    assert str(sheet) in said
    assert sheet.stat().st_mode & 0o077 == 0
    with Image.open(sheet) as image:
        width, height = image.size
        assert (width, height) == (1390, 193)
        colours = {image.getpixel((10 + 138 * place + 64, 10 + 64)) for place in range(5)}
    assert colours == {(shade,) * 3 for shade in (0, 50, 100, 150, 200)}


def test_a_sheet_holds_so_many_and_the_next_page_the_rest(
    store: Store, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for width in range(1, 121):
        store.keep(png(0, (width, 1)), "7", "1", 0.9, "12")
    sheet = str(tmp_path / "mine.png")
    assert command("--sheet", sheet) == 0
    assert "120 of 125 (next: --page 2)" in capsys.readouterr().out
    assert command("--sheet", sheet, "--page", "2") == 0
    with Image.open(sheet) as image:
        assert image.height == 193


def test_pictures_that_cannot_be_read_are_on_the_sheet_too(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    store.keep(b"\x89PNG\r\n\x1a\nbroken", "7", "", None, "12")
    store.keep(b"II*\0broken", "7", "", None, "12")
    damaged = store.folder / f"{store.kept()[0].id}.json"
    damaged.write_text("{")
    assert command() == 0
    said = capsys.readouterr().out
    assert f"{damaged} is damaged" in said
    assert "6 pictures in" in said


def test_pictures_are_judged_by_id_by_filter_and_all_at_once(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    number = next(one for one in store.kept() if one.label == "2047")
    assert command("--relabel", "2041", number.id[:8]) == 0
    assert states(store) == {"new": ["7", "7", "7", "not_a_digit"], "accepted": ["2041"]}
    assert command("--accept", "--label", "7", "--answer", "1") == 0
    assert "2 pictures accepted." in capsys.readouterr().out
    assert command("--drop", "--state", "new") == 0
    assert states(store) == {"dropped": ["7", "not_a_digit"], "accepted": ["2041", "7", "7"]}
    assert command("--accept", "--all") == 0
    assert set(states(store)) == {"accepted"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--accept"], "Select pictures"),
        (["--drop", "ffffffffff"], "No picture has an id that begins with `ffffffffff`"),
        (["--accept", ""], "5 pictures have ids that begin with ``"),
        (["--delete", "--all"], "Add --yes"),
        (["--delete-all"], "Add --yes"),
        (["--export", "/proc/feedback.zip"], "cannot be written"),
    ],
)
def test_what_is_not_clear_changes_nothing(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    before = store.kept()
    assert command(*arguments) == 1
    assert reason in capsys.readouterr().err
    assert store.kept() == before


def test_a_label_that_is_none_is_refused(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command("--relabel", "seven", "--all")
    assert "Send a digit" in capsys.readouterr().err
    assert set(states(store)) == {"new"}


def test_export_holds_every_picture_and_its_record(store: Store, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    assert command("--export", str(path)) == 0
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for one in store.kept():
            assert archive.read(one.file) == one.picture(store.folder).read_bytes()
            assert json.loads(archive.read(f"{one.id}.json"))["label"] == one.label
        assert len(archive.namelist()) == 10
    assert command("--export", str(path)) == 1, "nothing is overwritten"


def test_delete_all_leaves_nothing_to_see(
    store: Store, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command() == 0
    assert command("--delete", "--yes", "--label", "7") == 0
    assert len(store.kept()) == 2
    (tmp_path / "data" / "accepted" / "pictures").mkdir(parents=True)
    assert command("--delete-all", "--yes") == 0
    assert "Copies made by `make learn`" in capsys.readouterr().out
    assert [path.name for path in store.folder.iterdir()] == [".lock"]
    assert not (tmp_path / "build" / "feedback.png").exists()
    assert command() == 0
    assert "There is no feedback" in capsys.readouterr().out


def test_a_picture_is_drawn_in_letters_of_its_own_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = Image.new("L", (200, 100), 255)
    image.paste(0, (0, 0, 100, 100))
    image.save(path)
    row = in_letters(path).split("\n")[3]
    assert len(row) == 48
    assert row.startswith("@" * 20)
    assert row.endswith(" " * 20)
    assert len(in_letters(path).split("\n")) == 12
    path.write_bytes(png(0, (5000, 1)))
    assert in_letters(path) == "@" * 48
    path.write_bytes(b"broken")
    assert in_letters(path) == "(cannot be read)"


@pytest.mark.usefixtures("store")
def test_another_folder_is_looked_at_where_it_is_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEEDBACK_DIR", str(tmp_path / "other"))
    assert command() == 0
    assert f"There is no feedback in {tmp_path / 'other'}" in capsys.readouterr().out


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Simulate a terminal at which these lines are typed."""

    def types(*lines: str) -> None:
        waiting = iter(lines)

        def read(prompt: str = "") -> str:
            print(prompt)
            line = next(waiting, None)
            if line is None:
                raise EOFError
            return line

        monkeypatch.setattr(builtins, "input", read)
        for stream in (sys.stdin, sys.stdout):
            monkeypatch.setattr(stream, "isatty", lambda: True)

    return types


def test_new_pictures_are_gone_through_at_a_terminal(
    store: Store, command: Command, typed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typed("a", "d", "", "seven", " 12 ", "q")
    assert command() == 0
    said = capsys.readouterr().out
    assert "1 of 5" in said
    assert "Send a digit" in said, "after an invalid label, the question is asked again"
    kept = store.kept()
    assert [one.state for one in kept] == ["accepted", "dropped", "new", "accepted", "new"]
    assert kept[3].label == "12"
    typed("a")
    assert command() == 130, "the end of the input stops the review, but earlier decisions are kept"
    assert [one.state for one in store.kept()].count("accepted") == 3


def test_accepting_takes_the_label_that_was_shown(
    store: Store, command: Command, typed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is also true if the picture is sent with another label during the review."""
    typed()

    def meanwhile(_prompt: str) -> str:
        store.keep(png(0), "1", "7", 0.9, "12")
        return "a"

    monkeypatch.setattr(builtins, "input", meanwhile)
    assert command("--label", "7", "--state", "new") == 0
    assert states(store)["accepted"] == ["7", "7", "7"]


@pytest.mark.parametrize("option", ["--sheet", "--export"])
def test_a_file_that_cannot_be_written_is_told(
    store: Store, command: Command, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    (store.folder.parent / "file").write_text("")
    assert command(option, str(store.folder.parent / "file" / "beside.png")) == 1
    assert "file" in capsys.readouterr().err


def test_a_person_is_asked_before_all_is_deleted(
    store: Store, command: Command, typed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    typed("no")
    assert command("--delete-all") == 1
    assert "Nothing was deleted" in capsys.readouterr().err
    assert store.count() == 5
    typed("yes")
    assert command("--delete-all") == 0
    assert store.count() == 0
