"""The model card of the committed report: its content, its length, and that it is self-contained."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from digits.network.model import Manifest
from pipeline.evaluation.card import Evidence, card, card_html

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "reports"
FIGURES: dict[str, Any] = json.loads((REPORTS / "metrics.json").read_text(encoding="utf-8"))
FIGURES.pop("intervals")
MANIFEST = Manifest(
    "a.onnx",
    "5a" * 32,
    "2026-01-02T03:04:05+00:00",
    version="7",
    run_id="run",
    git_commit="c0ffee",
    data_sha256="da" * 32,
    rejection_threshold=0.5,
    turns=[-6.0, 6.0],
)
ROW = {
    "name": "primary: plain",
    "candidate": 0.9948,
    "rival": 0.9946,
    "difference": 0.0002,
    "low": -0.0004,
    "high": 0.0008,
    "p": 0.31,
    "verdict": "no worse",
}
GATE = {
    "sentence": "Version 7 is the new champion.",
    "promoted": True,
    "rival": "version 3 (the champion)",
    "rows": [ROW],
    "smallest_shown": 0.0005,
}
VOID = {"meta", "img", "br"}


def evidence(
    figures: Mapping[str, Any] = FIGURES, gate: Mapping[str, Any] | None = GATE, manifest: Manifest = MANIFEST
) -> Evidence:
    return Evidence(
        figures, manifest, {"seed": 1, "network.blocks": "[[32], [48]]"}, gate, "A processor, 2 cores"
    )


class Balanced(HTMLParser):
    """Checks that elements are closed in order, and records the start tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


def test_card_says_figures_data_training_limits_and_the_gate() -> None:
    told = card(evidence())
    percent = f"{FIGURES['test_accuracy']:.2%}".replace("%", "\N{NO-BREAK SPACE}%")
    assert f"| MNIST's test digits | {percent} |" in told
    assert f"Mistakes on the test digits: {FIGURES['test_errors']}." in told
    for part in ("version 7", "Yann LeCun, Corinna Cortes", "CC BY-SA 3.0", "A processor, 2 cores", "c0ffee"):
        assert part in told
    assert "| primary: plain | 0.9948 | 0.9946 | +0.0002 (-0.0004 to +0.0008) | 0.31 | no worse |" in told
    assert "Version 7 is the new champion." in told
    assert "Compared with version 3 (the champion)" in told
    assert "95 % interval |" not in told.partition("## Compared")[0]


def test_card_names_what_is_read_worst() -> None:
    figures = {
        "recall": {"0": 0.9, "1": 0.99, "2": 0.7, "3": 0.8},
        "canvas": {"large": 0.9, "thin": 0.5},
        "false_rejects": {"plain": 0.001, "scans": 0.2},
        "reject_auroc_of": {"dash": 1.0, "equals": 0.8},
    }
    told = card(evidence(figures)).replace("\N{NO-BREAK SPACE}", " ")
    assert "lowest accuracy are 2 (70.00 %), 3 (80.00 %), 0 (90.00 %)." in told
    assert "lowest for “thin”: 50.00 %" in told
    assert "small scans (20.00 %)" in told
    assert "equals (AUROC 0.8000)" in told


def test_card_gives_intervals_where_the_report_has_them() -> None:
    figures = FIGURES | {"intervals": {"test_accuracy": [0.9954, 0.9977], "recall": {"5": [0.98, 0.996]}}}
    told = card(evidence(figures)).replace("\N{NO-BREAK SPACE}", " ")
    assert "| What | Value | 95 % interval |" in told
    assert "| 99.54 to 99.77 % |" in told
    assert "98.00 to 99.60" in card_html(evidence(figures), REPORTS)


def test_card_of_a_model_that_was_compared_with_nothing() -> None:
    alone = ROW | dict.fromkeys(("rival", "difference", "low", "high", "p")) | {"verdict": "not compared"}
    gate = GATE | {"rival": None, "rows": [alone], "smallest_shown": None}
    told = card(evidence(gate=gate))
    assert "| primary: plain | 0.9948 |  |  |  | not compared |" in told
    assert "None" not in told
    assert "There is no record of a comparison" in card(evidence(gate=None))


def test_card_of_almost_no_figures() -> None:
    """The card of a run without a report, or of a model without rejection."""
    bare = Manifest("a.onnx", "5a" * 32, "")
    told = card(Evidence({"test_accuracy": float("nan")}, bare, {}))
    assert "| MNIST's test digits |" not in told
    assert "nan" not in told
    assert "rejects other marks" not in told
    assert told.startswith("# Model card: digits\n")


def test_card_says_whether_users_sent_any_of_the_data() -> None:
    told = card(evidence(FIGURES | {"accepted": {"learnt": 14, "held_back": 6}}))
    assert "Of users' feedback, 14 marks are training data and 6 validation data." in told
    without = {name: value for name, value in FIGURES.items() if name != "accepted"}
    assert "No data was sent by users." in card(evidence(without))


def test_card_fits_into_a_description_of_mlflow() -> None:
    intervals = {name: [0.1, 0.9] for name, value in FIGURES.items() if isinstance(value, float)}
    told = card(evidence(FIGURES | {"intervals": intervals}, GATE | {"rows": [ROW] * 7}))
    assert len(told) < 4900


def test_page_is_one_well_formed_file() -> None:
    told = card_html(evidence(), REPORTS)
    seen = parsed(told).seen
    tags = [tag for tag, _ in seen]
    assert not {"script", "link", "iframe", "object", "form"} & {*tags}
    addresses = [value for _, attrs in seen for name, value in attrs.items() if name in ("src", "href")]
    outside = [address for address in addresses if not str(address).startswith("data:image/png;base64,")]
    assert outside == ["https://creativecommons.org/licenses/by-sa/3.0/"]
    assert len(re.findall("https?://", told)) == 1
    assert ("html", {"lang": "en"}) in seen
    assert tags.count("title") == tags.count("h1") == 1
    assert tags.count("caption") == tags.count("table") >= 8
    assert all(attrs["alt"] for tag, attrs in seen if tag == "img")
    assert tags.count("img") == 3
    assert "prefers-color-scheme: dark" in told
    assert len(told) < 300_000


def test_page_names_its_model_file_and_every_parameter() -> None:
    told = card_html(evidence(), REPORTS)
    assert f'<meta name="model-sha256" content="{MANIFEST.sha256}">' in told
    assert "<td>[[32], [48]]</td>" in told
    assert "<code>canvas_accuracy</code>" in told


def test_page_without_pictures(tmp_path: Path) -> None:
    assert "<img" not in card_html(evidence(), tmp_path)


@pytest.mark.parametrize(("version", "title"), [("default", "the default model"), ("12", "version 12")])
def test_title_says_which_model(version: str, title: str) -> None:
    manifest = Manifest("a.onnx", "5a" * 32, "", version=version)
    assert card(evidence(manifest=manifest)).startswith(f"# Model card: digits, {title}\n")
