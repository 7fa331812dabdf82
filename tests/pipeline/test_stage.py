from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import DataError, ParameterError
from pipeline.stage import check_names, run_stage


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("boil:\n  minutes: 5\n", encoding="utf-8")
    return tmp_path


def test_run_stage_passes_the_section_as_keywords() -> None:
    called: list[int] = []
    assert run_stage("boil", lambda minutes: called.append(minutes)) == 0
    assert called == [5]


def test_run_stage_names_a_misspelt_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(seconds: int) -> None:
        raise AssertionError(seconds)

    assert run_stage("boil", boil) == 1
    assert "params.yaml, section 'boil'" in (said := capsys.readouterr().err)
    assert "'seconds'" in said or "'minutes'" in said


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no params.yaml here"), ("fry: {}", "no section 'boil'")]
)
def test_run_stage_without_parameters_says_so(
    content: str | None, reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "params.yaml"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert run_stage("boil", lambda minutes: print(minutes)) == 1
    assert reason in capsys.readouterr().err


def test_run_stage_makes_a_sentence_of_an_expected_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(minutes: int) -> None:
        raise DataError(f"no water for {minutes} minutes")

    assert run_stage("boil", boil) == 1
    assert capsys.readouterr().err == "boil: no water for 5 minutes\n"


def test_run_stage_ends_with_130_when_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(minutes: int) -> None:
        raise KeyboardInterrupt(minutes)

    assert run_stage("boil", boil) == 130
    assert "stopped" in capsys.readouterr().err


def test_run_stage_lets_a_bug_be_seen() -> None:
    with pytest.raises(ZeroDivisionError):
        run_stage("boil", lambda minutes: minutes / 0)


def test_check_names_refuses_what_is_filled_in_already() -> None:
    def boil(minutes: int, *, water: str, lid: bool = False) -> None:
        raise AssertionError(minutes, water, lid)

    check_names("boil", partial(boil, water="salt"), {"minutes": 5, "lid": True})
    with pytest.raises(ParameterError, match="'water'"):
        check_names("boil", partial(boil, water="salt"), {"minutes": 5, "water": "fresh"})
