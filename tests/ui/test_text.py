"""The texts: every text that the page uses exists, and every text that exists is used."""

from __future__ import annotations

import re
from pathlib import Path

from ui.text import PAGE, SERVICE, WINDOW

UI = Path(__file__).resolve().parents[2] / "ui"


def used_on_page() -> set[str]:
    """Names of texts in the HTML ($name) and in the scripts, as arguments of `say`."""
    sources = (UI / "canvas" / "page.html", UI / "canvas" / "head.html", UI / "document.py")
    html = "".join(path.read_text(encoding="utf-8") for path in sources)
    scripts = "".join(path.read_text(encoding="utf-8") for path in (UI / "canvas").glob("*.js"))
    said = set(re.findall(r'say\(\s*"(\w+)"', scripts))
    return set(re.findall(r"\$(\w+)", html)) - {"preview"} | said  # an address


def test_text_has_every_sentence_that_the_page_uses() -> None:
    assert used_on_page() - set(PAGE) == set()


def test_text_of_the_page_is_all_used() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (UI / "canvas").glob("*.js"))
    scripts += (UI / "page.py").read_text(encoding="utf-8")  # which starts them
    quoted = used_on_page() | set(re.findall(r'"(\w+)"', scripts))
    built = {name for name in PAGE if re.fullmatch(r"(sure|hint|cell)_\w+", name)}  # `sure_${n}` and so on
    assert set(PAGE) - quoted - built == set()


def test_text_of_window_and_service_is_all_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.py") if path.name != "text.py")
    assert {name for name in WINDOW | SERVICE if f'"{name}"' not in code} == set()


def test_page_has_every_element_that_the_type_check_counts_on() -> None:
    """`page.d.ts` declares the elements of the page; an error in it would show only in a browser."""
    declared = (
        (UI / "page.d.ts").read_text(encoding="utf-8").split("export interface Parts")[1].split("}\n\n")[0]
    )
    html = (UI / "canvas" / "page.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'"#([\w-]+)"', declared))
    assert len(ids) > 30
    assert ids - set(re.findall(r'id="([\w-]+)"', html)) == set()
