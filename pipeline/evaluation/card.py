"""The model card: what a version is, how well it reads, what it was made of and what it cannot do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from digits.network.model import Manifest
from pipeline.evaluation.document import (
    Document,
    Items,
    Link,
    Picture,
    Section,
    Table,
    Text,
    markdown,
    page,
    small_png,
)
from pipeline.project.params import flat

MODEL = "model-sha256"  # the name under which the page says of which file it is the card

_PICTURES = (
    Picture(
        "mistakes.png",
        "A sheet of test digits that were read wrong, each with what it is, what it was read as, and how "
        "sure the model was.",
        "The test digits that it reads wrong with most confidence.",
    ),
    Picture(
        "confusion.png",
        "A table of ten by ten counts: which digit was taken for which.",
        "Which test digit is taken for which; right answers are without colour.",
    ),
    Picture(
        "reliability.png",
        "A chart of the share of right answers against the confidence given, near the diagonal where the "
        "two agree.",
        "How often it is right at the confidence that it gives; the bars are 95 % intervals.",
    ),
)
_SHARES = (  # the figure's name and what it is the share of
    ("test_accuracy", "MNIST's test digits"),
    ("canvas_accuracy", "The same redrawn large, small, thin, thick, anywhere on a canvas"),
    ("line_accuracy", "Lines of 3 to 8 of them, wholly right"),
    ("paper_accuracy", "Characters on papers filled in with them, half photographed"),
    ("papers_right", "The same papers, wholly right"),
    ("spoilt_accuracy", "Digits blurred, crossed by printed lines or cut from neighbours"),
    ("prototype_accuracy", "Forms that MNIST hardly has, as the project draws them"),
    ("false_reject_rate", "Test digits wrongly called “not a digit”"),
    ("false_accept_rate", "Scribbles, letters and other marks taken for digits"),
    ("expected_calibration_error", "Calibration error of the confidence, test digits"),
    ("canvas_calibration_error", "The same, redrawn digits"),
    ("number_calibration_error", "The same, whole numbers on papers"),
)
_SOURCES = {
    "plain": "MNIST's test digits",
    "prototypes": "forms that MNIST hardly has",
    "redrawn": "redrawn with other pens",
    "spoilt": "blurred, crossed or cut",
    "scans": "small scans",
    "thick": "thick strokes",
}
_WEAK = (
    "Photos of sudokus that are faint or noisy, combs in noisy photos, faint dashed tables in large photos.",
    "Boxes slanted and cut off above and below; tables in photos without lines at their sides.",
    "Points and commas that touch a digit, digits that reach far into the next cell, and short printed words "
    "whose letters look like digits.",
    "Scribbles that hardly turn and letters that look like digits (O, l, S, Z, b, g, q) pass for digits; on "
    "scans of 20 pixels or less two scribbles in ten do.",
)
_LIMITS = (
    "It reads 0 to 9, and with them minus, point and comma: no letters, words or other numerals.",
    "Its confidence holds for pictures like those above: other hands, pens and cameras were not measured.",
    "MNIST's writers lived in the United States; forms used elsewhere it knows as drawn here only.",
    "Some wrong answers come with high confidence: let a person check what matters, and let no decision "
    "about a person rest on its reading alone.",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a card is made from.

    `figures` is the content of reports/metrics.json, `trained_with` the parameters of the training with
    dotted names, `gate` the content of reports/promotion.json (None where no comparison was kept), and
    `processor` what the training ran on, "" where nobody noted it.
    """

    figures: Mapping[str, Any]
    manifest: Manifest
    trained_with: Mapping[str, Any]
    gate: Mapping[str, Any] | None = None
    processor: str = ""


def card(evidence: Evidence) -> str:
    """The card as Markdown, without pictures and the longer tables."""
    return markdown(_document(evidence))


def card_html(evidence: Evidence, pictures: Path) -> str:
    """The card as a web page of its own; those of the report's pictures that lie in `pictures` are in it."""
    found = [picture.name for picture in _PICTURES if (pictures / picture.name).is_file()]
    return page(_document(evidence), {name: small_png(pictures / name) for name in found})


def _document(evidence: Evidence) -> Document:
    figures = evidence.figures
    sections = (
        Section("What it is for", (Text([_purpose(evidence.manifest)]),)),
        Section("How well it reads", _measured(figures)),
        Section("Compared with the model in service", _gate(evidence.gate)),
        Section("What it reads badly", (Items([*_worst(figures), *_WEAK]), *_PICTURES)),
        Section("Limits", (Items(_LIMITS),)),
        Section("What it was made of", _data()),
        Section("How it was trained", _training(evidence)),
    )
    return Document(_title(evidence.manifest), sections, {MODEL: evidence.manifest.sha256})


def _title(manifest: Manifest) -> str:
    if manifest.version == "default":
        return "Model card: digits, the default model"
    return f"Model card: digits, version {manifest.version}" if manifest.version else "Model card: digits"


def _purpose(manifest: Manifest) -> str:
    rejects = manifest.rejection_threshold is not None
    says_no = " It says “not a digit” of marks that are none." if rejects else ""
    return (
        "A small convolutional network that reads one handwritten digit of 28 by 28 pixels; the code around "
        f"it finds the digits in a drawing, a photo, a form or a table.{says_no} It is for people who want "
        "handwritten numbers typed, and for those who learn how such a system is built and run."
    )


def _measured(figures: Mapping[str, Any]) -> list[Text | Table]:
    """The tables of figures, without those for which nothing was measured."""
    rows = [
        (words, *_share(figures, name), name) for name, words in _SHARES if _number(figures, name) is not None
    ]
    if "reject_auroc" in figures:
        told = "Digits told from other marks (AUROC; 0.5 is chance)"
        rows.append((told, *_score(figures, "reject_auroc"), "reject_auroc"))
    errors = figures.get("test_errors")
    mistakes = f" Mistakes on the test digits: {errors:.0f}." if errors is not None else ""
    lead = (
        "Measured on MNIST's test digits, which decide nothing, and on what is drawn from them; names are "
        f"those in reports/metrics.json.{mistakes}"
    )
    tables = [
        _table("The share that is read right, unless the row says otherwise", "What", rows),
        _group(figures, "recall", "MNIST's test digits by digit: share read right (recall)", "Digit"),
        _group(
            figures, "canvas", "Redrawn digits by the way they are drawn: share read right (canvas)", "Drawn"
        ),
        _group(figures, "false_rejects", "Called “not a digit”, though read right (false_rejects)", "Digits"),
        _group(figures, "reject_auroc_of", "Other marks told from digits: AUROC (reject_auroc_of)", "Mark"),
    ]
    return [Text([lead]), *(table for table in tables if table.rows)]


def _group(figures: Mapping[str, Any], group: str, caption: str, head: str) -> Table:
    """The figures of one group, by their kinds."""
    shown = _score if "auroc" in group else _share
    names = {one: f"{group}.{one}" for one in figures.get(group, {})}
    words = _SOURCES if group == "false_rejects" else {}
    rows = [(words.get(one, one), *shown(figures, name), "") for one, name in names.items()]
    return replace(_table(caption, head, rows), names=(), is_detail=True)


def _table(caption: str, head: str, rows: Sequence[Sequence[str]]) -> Table:
    """Rows of what, figure, interval and name; no column of intervals where the report has none of them."""
    width = 3 if any(between for _, _, between, _ in rows) else 2
    heads = (head, "Figure", "95 % interval")[:width]
    return Table(caption, heads, [row[:width] for row in rows], [name for *_, name in rows])


def _share(figures: Mapping[str, Any], name: str) -> tuple[str, str]:
    """A share and its interval in percent."""
    low, high = _interval(figures, name)
    between = "" if low is None or high is None else f"{100 * low:.2f} to {_percent(high)}"
    return _percent(_number(figures, name)), between


def _score(figures: Mapping[str, Any], name: str) -> tuple[str, str]:
    """A figure from 0 to 1 and its interval, as they are."""
    low, high = _interval(figures, name)
    between = "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
    return _decimal(_number(figures, name)), between


def _interval(figures: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    low, high = flat(figures.get("intervals") or {}).get(name) or (None, None)
    return low, high


def _number(figures: Mapping[str, Any], name: str) -> float | None:
    """The figure of a name with dots; None where there is none, or it is no number."""
    value: Any = figures
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}".replace("%", "\N{NO-BREAK SPACE}%")


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _worst(figures: Mapping[str, Any]) -> list[str]:
    """Sentences on the weakest of each group of figures."""
    said = []
    if recall := figures.get("recall"):
        lowest = sorted(recall, key=recall.__getitem__)[:3]
        each = ", ".join(f"{digit} ({_percent(recall[digit])} read right)" for digit in lowest)
        said.append(f"The digits read worst: {each}.")
    if canvas := figures.get("canvas"):
        kind = min(canvas, key=canvas.__getitem__)
        said.append(f"Of redrawn digits those drawn “{kind}” are read worst: {_percent(canvas[kind])}.")
    if rejects := figures.get("false_rejects"):
        kind = max(rejects, key=rejects.__getitem__)
        what = _SOURCES.get(kind, kind)
        said.append(f"Most often wrongly called “not a digit”: {what} ({_percent(rejects[kind])}).")
    if auroc := figures.get("reject_auroc_of"):
        kind = min(auroc, key=auroc.__getitem__)
        said.append(f"The marks that are told from digits worst: {kind} (AUROC {_decimal(auroc[kind])}).")
    return said


def _data() -> list[Text]:
    licence = Link("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/")
    mnist = (
        "MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges: 60,000 training images, a part of "
        "which is kept for every decision (validation), and 10,000 test images by other writers. LeCun and "
        "Cortes hold the copyright and make it available under ",
        licence,
        ".",
    )
    drawn = (
        "Beside them the project draws its own, by seed and for each split alone: forms that MNIST hardly "
        "has, digits redrawn with other pens, digits spoilt as in photos, small scans, and marks that are no "
        "digits. No picture that a user sent is among them.",
    )
    return [Text(mnist), Text(drawn)]


def _training(evidence: Evidence) -> list[Table]:
    manifest, figures = evidence.manifest, evidence.figures
    seconds, count = _number(figures, "train_seconds"), _number(figures, "parameters")
    turns = ", ".join(f"{degrees:g}" for degrees in manifest.turns)
    facts = {
        "Trained": _day(manifest.created),
        "Seconds": "" if seconds is None else f"{seconds:.0f}",
        "Processor": evidence.processor,
        "Epochs": _epochs(figures),
        "Weights": "" if count is None else f"{count:,.0f}",
        "Seed": str(evidence.trained_with.get("seed", "")),
        "Code (git commit)": manifest.git_commit,
        "MLflow run": manifest.run_id,
    }
    hashes = {"Processed data": manifest.data_sha256, "Model file": manifest.sha256}
    settings = {
        "Temperature of the confidence": f"{manifest.temperature:.4g}",
        "Rejection threshold (log odds)": _threshold(manifest.rejection_threshold),
        "The same on small scans": _threshold(manifest.scan_rejection_threshold),
        "Doubtful digits are also read turned by": f"{turns} degrees" if turns else "",
    }
    parameters = {name: str(value) for name, value in evidence.trained_with.items()}
    tables = (
        Table("The training", ("What", "Value"), _filled(facts)),
        Table("SHA-256", ("Of", "Value"), _filled(hashes), is_detail=True),
        Table("Set after it, on validation digits", ("What", "Value"), _filled(settings), is_detail=True),
        Table(
            "Its parameters (section train of params.yaml)",
            ("Name", "Value"),
            _filled(parameters),
            is_detail=True,
        ),
    )
    return [table for table in tables if table.rows]


def _filled(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in values.items() if value]


def _day(created: str) -> str:
    """The day of an ISO time; what cannot be read as one, as it is."""
    try:
        return datetime.fromisoformat(created).strftime("%Y-%m-%d")
    except ValueError:
        return created


def _epochs(figures: Mapping[str, Any]) -> str:
    epochs, best = _number(figures, "epochs"), _number(figures, "best_epoch")
    if epochs is None:
        return ""
    return f"{epochs:.0f}" if best is None else f"{epochs:.0f}, of which number {best:.0f} was kept"


def _threshold(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _gate(gate: Mapping[str, Any] | None) -> list[Text | Table]:
    """The gate's sentence and its table, on validation digits."""
    if gate is None:
        return [Text(["No comparison with another model was kept for this version."])]
    parts: list[Text | Table] = [Text([str(gate.get("sentence") or "")])]
    rows = gate.get("rows") or []
    if rows:
        rival = gate.get("rival")
        smallest = gate.get("smallest_shown")
        caption = f"Beside {rival}, on validation digits" if rival else "On validation digits"
        if smallest is not None:
            caption += f" (the smallest difference that they can show: {smallest:.4f})"
        heads = ("What", "This version", "The other", "Difference (95 % interval)", "p", "Verdict")
        parts.append(Table(caption, heads, [_compared(row) for row in rows]))
    return parts


def _compared(row: Mapping[str, Any]) -> tuple[str, ...]:
    low, high, difference, p = (row.get(name) for name in ("low", "high", "difference", "p"))
    between = "" if low is None or high is None else f" ({low:+.4f} to {high:+.4f})"
    return (
        str(row.get("name", "")),
        _decimal(row.get("candidate")),
        _decimal(row.get("rival")),
        "" if difference is None else f"{difference:+.4f}{between}",
        "" if p is None else f"{p:.2g}",
        str(row.get("verdict", "")),
    )
