"""Each figure of the README and of docs/figures.md has its date and the command that measures it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.commands import inline_code, is_command
from tests.sources import ROOT

DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")
SAME = re.compile(r"\|\s*the same\b")
"""Marks a row that has the same command as the row above it."""


def rows(table: str) -> list[str]:
    """The rows of a table below its heading."""
    return re.findall(r"^\|.*\|$", table, re.MULTILINE)[2:]


def bullets(text: str) -> list[str]:
    """The bullets of a section, each with the lines that go with it."""
    return re.findall(r"^- .*(?:\n  .*)*", text, re.MULTILINE)


def without(figures: list[str]) -> Iterator[str]:
    """The figures that lack a date or a command."""
    command = False
    for figure in figures:
        command = any(is_command(code) for code in inline_code(figure)) or (
            command and bool(SAME.search(figure))
        )
        if not command or not DATE.search(figure):
            yield figure


def readme(heading: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert section, f"README.md has no section {heading}"
    return section


def test_figures_of_the_readme_have_a_date_and_a_command() -> None:
    figures = bullets(readme("Figures"))
    assert len(figures) > 3
    assert list(without(figures)) == []


def test_times_of_the_first_start_have_a_date_and_a_command() -> None:
    """The heading of the table has the date and the machine."""
    (table,) = re.findall(r"(?:^\|.*\|\n)+", readme("Quick start"), re.MULTILINE)
    assert DATE.search(table.splitlines()[0])
    assert any(is_command(code) for code in inline_code(table))


def test_figures_of_the_page_of_figures_have_a_date_and_a_command() -> None:
    figures = rows((ROOT / "docs" / "figures.md").read_text(encoding="utf-8").partition("\n![")[0])
    assert len(figures) > 10
    assert list(without(figures)) == []


@pytest.mark.parametrize(
    ("figures", "lacking"),
    [
        (["| a | 1 (2026-01-01) | `make a` |", "| b | 2 (2026-01-02) | the same |"], []),
        (["| a | 1 (2026-01-01) | the same |"], [0]),
        (["| a | 1 | `make a` |"], [0]),
        (["| a | 1 (2026-01-01) | `a.py` |", "| b | 2 (2026-01-02) | the same |"], [0, 1]),
    ],
)
def test_figures_without_date_or_command_are_found(figures: list[str], lacking: list[int]) -> None:
    assert list(without(figures)) == [figures[number] for number in lacking]
