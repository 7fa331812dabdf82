"""The command-line interfaces of promote, rollback and champion."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline import champion, promote, rollback
from pipeline.registry import history
from pipeline.registry.history import Change

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

Registered = Callable[..., tuple[MlflowClient, str]]
Typed = Callable[..., tuple[int, str, str]]
TIME = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Exit code, output and errors of a command."""

    def call(main: Callable[[], int], *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_promote_roll_back_twice_and_ask(registered: Registered, typed: Typed) -> None:
    for favourite in (1, 2, 3):
        registered(favourite)
    for version, reason in (("1", "the first"), ("2", "reads twos"), ("3", "reads threes")):
        assert typed(promote.main, version, "--reason", reason)[0] == 0
    code, said, _ = typed(champion.main)
    assert code == 0
    now, head, *rows = said.splitlines()
    assert re.fullmatch(rf"champion: version 3 since {TIME}, by promote: reads threes", now)
    assert head.split() == ["earlier", "since", "by", "reason"]
    assert re.fullmatch(rf"version 2  {TIME}  promote  reads twos", rows[0])
    assert re.fullmatch(rf"version 1  {TIME}  promote  the first", rows[1])

    for version in ("2", "1"):
        code, said, _ = typed(rollback.main)
        assert (code, said.startswith(f"champion: version {version} (")) == (0, True)
    code, said, error = typed(rollback.main)
    assert (code, said, error) == (1, "", "There is no version before 1 to return to.\n")
    now, _, *rows = typed(champion.main)[1].splitlines()
    assert re.fullmatch(rf"champion: version 1 since {TIME}, by rollback: version 2 was rolled back", now)
    assert [row.split()[1] for row in rows] == ["2", "3", "2", "1"]


def test_rollback_says_what_it_passes_over(project: Path, registered: Registered, typed: Typed) -> None:
    for favourite in (1, 2, 3):
        client, version = registered(favourite)
        typed(promote.main, version)
    run_id = client.get_model_version("digits", "2").run_id
    shutil.rmtree(next((project / "mlruns").rglob(f"{run_id}/artifacts/candidate")))
    code, said, _ = typed(rollback.main)
    assert code == 0
    assert said.startswith("Version 2 is skipped. There is no model in ")
    assert "\nchampion: version 1 (" in said


def test_champion_says_what_is_not_served_or_on_record_yet(registered: Registered, typed: Typed) -> None:
    for favourite in (1, 2):
        client, _ = registered(favourite)
    typed(promote.main, "1")
    assert "No earlier champion is on record" in typed(champion.main)[1]
    client.set_registered_model_alias("digits", "champion", "2")
    code, said, _ = typed(champion.main)
    assert code == 0
    assert said.startswith("champion: version 2, by a change that is not recorded yet\n")
    assert "It is not served yet, because " in said
    assert "has version 1. Run `python -m pipeline.promote --sync`" in said


def test_champion_shows_the_last_ten_changes_before() -> None:
    done = [Change("2026-01-02T03:04:05+00:00", "", str(number), "", "", "") for number in range(1, 14)]
    lines = champion.described("13", done)
    assert [line.split()[1] for line in lines[2:-1]] == [str(number) for number in range(12, 2, -1)]
    assert lines[-1] == "and 2 earlier changes"


@pytest.mark.parametrize(
    ("main", "arguments"), [(promote.main, ["1"]), (rollback.main, []), (champion.main, [])]
)
def test_commands_without_a_registry_say_so_and_make_none(
    main: Callable[[], int],
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, said, error = typed(main, *arguments)
    assert (code, said) == (1, "")
    assert error.startswith("There is no registry (")
    assert "make repro" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("project")
def test_commands_with_no_champion_or_version(typed: Typed) -> None:
    for main, arguments, sentence in (
        (promote.main, ["7"], "There is no version 7 of the model."),
        (promote.main, ["best"], "There is no version best of the model."),
        (rollback.main, [], "There is no champion yet, so there is nothing to roll back."),
        (champion.main, [], "There is no champion. `make repro` trains one,"),
    ):
        code, said, error = typed(main, *arguments)
        assert (code, said) == (1, "")
        assert error.startswith(sentence)


@pytest.mark.usefixtures("project")
def test_registry_that_fails_is_told_in_one_line(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MlflowException("(sqlite3.OperationalError) cannot commit\n[SQL: SELECT 1]\n(Background)")

    monkeypatch.setattr(MlflowClient, "get_model_version_by_alias", fails)
    code, _, error = typed(champion.main)
    assert code == 1
    assert error == "The registry failed: (sqlite3.OperationalError) cannot commit\n"


def test_record_outlives_a_version_that_is_deleted(registered: Registered, typed: Typed) -> None:
    for favourite in (1, 2):
        client, version = registered(favourite)
        typed(promote.main, version)
    client.delete_model_version("digits", "1")
    assert [one.version for one in history.changes(client)] == ["1", "2"]
    assert "version 1" in typed(champion.main)[1]
