"""The pages of docs/: a reader finds each one, no link leads nowhere, and a decision is half a page."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.sources import ROOT

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
INDICES = (DOCS / "README.md", DECISIONS / "README.md", DOCS / "lab" / "README.md")
LONGEST_DECISION = 2500  # characters: half a page, as docs/decisions/README.md says
LONGEST_LINE = 120  # characters

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^\s*(```|~~~)")


@cache
def files() -> list[Path]:
    """All files that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git does not list the files of this project: {error}")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def pages(folder: Path = ROOT) -> list[Path]:
    return [path for path in files() if path.suffix == ".md" and path.is_relative_to(folder)]


def decisions() -> list[Path]:
    return sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")


@cache
def decisions_named_elsewhere() -> set[str]:
    """The file names of the decisions that code and documents other than indices and the changelog name."""
    name = re.compile(rb"decisions/([a-z-]+\.md)")
    elsewhere = [path for path in files() if path not in INDICES and path.name != "CHANGELOG.md"]
    return {found.decode() for path in elsewhere for found in name.findall(path.read_bytes())}


def prose(page: Path) -> list[tuple[int, str]]:
    """The lines of a page with their numbers, without those of code."""
    lines, in_code = [], False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if _FENCE.match(line):
            in_code = not in_code
        elif not in_code:
            lines.append((number, line))
    return lines


def linked(page: Path) -> dict[str, Path]:
    """The files that a page's links name, by the link's target without its anchor."""
    text = "\n".join(line for _, line in prose(page))
    targets = [target.split("#")[0] for target in _LINK.findall(text)]
    return {name: (page.parent / name).resolve() for name in targets if name and ":" not in name}


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = [line.lstrip("#").strip().lower() for _, line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def too_long(line: str) -> bool:
    """Whether a line is longer than it may be and could be broken: not in a table, nor one word alone."""
    words = re.sub(r"^\s*([-*]|\d+\.)\s+", "", line).split()
    return len(line) > LONGEST_LINE and not line.lstrip().startswith("|") and len(words) > 1


def test_every_page_of_docs_is_in_an_index() -> None:
    found = {path for index in INDICES for path in linked(index).values()}
    missing = [
        str(page.relative_to(ROOT)) for page in pages(DOCS) if page not in found and page != INDICES[0]
    ]
    assert not missing, "they need a line in docs/README.md, or in the index of their folder"


def test_no_link_leads_nowhere() -> None:
    broken = []
    for page in pages():
        broken += [
            f"{page.relative_to(ROOT)}: {name}" for name, path in linked(page).items() if not path.exists()
        ]
        for target in _LINK.findall(page.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            other = (page.parent / name).resolve() if name else page
            if anchor and other.suffix == ".md" and other.exists() and anchor not in anchors(other):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_code_and_configuration_name_pages_that_exist() -> None:
    """Comments name pages as docs/NAME.md, and some as decisions/NAME.md."""
    named = re.compile(r"(?:docs/)?((?:decisions|lab)/[a-z-]+\.md)|docs/([a-z-]+\.md)")
    broken = []
    for path in files():
        if path.suffix in (".py", ".js", ".yml", ".yaml", ".toml", ".sh", "") and path.stat().st_size < 10**6:
            text = path.read_bytes().decode("utf-8", errors="ignore")
            names = {of_decision or name for of_decision, name in named.findall(text)}
            broken += [f"{path.relative_to(ROOT)}: {name}" for name in names if not (DOCS / name).exists()]
    assert not broken


@pytest.mark.parametrize("page", decisions(), ids=lambda page: page.stem)
def test_a_decision_is_half_a_page(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8")) <= LONGEST_DECISION


@pytest.mark.parametrize("page", decisions(), ids=lambda page: page.stem)
def test_a_decision_is_linked_from_where_one_asks_why(page: Path) -> None:
    """From the code, or from a document that is neither an index nor a decision."""
    assert page.name in decisions_named_elsewhere()


def test_lines_of_markdown_are_short() -> None:
    long = [f"{page.relative_to(ROOT)}:{n}" for page in pages() for n, line in prose(page) if too_long(line)]
    assert not long, f"break them before column {LONGEST_LINE}"


def test_only_lines_that_can_be_broken_are_too_long() -> None:
    assert too_long("word " * 30)
    assert too_long("- see [a page](https://example.org/" + "a" * 120 + ")")
    assert not too_long("| " + "word " * 30 + "|")
    assert not too_long("  - https://example.org/" + "a" * 120)
    assert not too_long("word " * 20)
