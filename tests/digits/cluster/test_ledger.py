from __future__ import annotations

from pathlib import Path

import pytest

from digits.cluster.ledger import Ledger, check_inputs, remove_others
from digits.cluster.places import Folder
from digits.errors import DigitsError


def test_a_folder_takes_the_answers_to_its_own_inputs_again(tmp_path: Path) -> None:
    folder = Folder.of(str(tmp_path))
    check_inputs(folder, ["/a", "s3://b/c"])
    Ledger(["/a", "s3://b/c"]).write(folder)
    check_inputs(folder, ["/a", "s3://b/c"])


def test_a_folder_refuses_the_answers_to_others(tmp_path: Path) -> None:
    folder = Folder.of(str(tmp_path))
    Ledger(["/a"]).write(folder)
    with pytest.raises(DigitsError, match=r"has the answers to /a\. Name another folder"):
        check_inputs(folder, ["/b"])


def test_a_folder_refuses_answers_beside_those_of_unknown_origin(tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").touch()
    with pytest.raises(DigitsError, match="unknown origin"):
        check_inputs(Folder.of(str(tmp_path)), ["/a"])


def test_only_parts_are_removed(tmp_path: Path) -> None:
    for name in (
        "part-1.csv",
        "part-2.csv",
        ".part-1.csv.0",
        ".part-3.csv.begun",
        "notes.csv",
        "_digits.json",
    ):
        (tmp_path / name).touch()
    remove_others(Folder.of(str(tmp_path)), {"part-2.csv"})
    assert {path.name for path in tmp_path.iterdir()} == {"part-2.csv", "notes.csv", "_digits.json"}
