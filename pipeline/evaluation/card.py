"""The model card: purpose, metrics, weaknesses, limits, data and training of a version."""

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

MODEL = "model-sha256"  # the name of the page's meta element with the hash of the model file

_PICTURES = (
    Picture(
        "mistakes.png",
        "A sheet of misread test digits, each with its label, the answer, and the confidence of the model.",
        "The misread test digits with the highest confidence.",
    ),
    Picture(
        "confusion.png",
        "A ten by ten confusion matrix of the true digit and the answer.",
        "Confusion matrix of the test digits. Only wrong answers are coloured.",
    ),
    Picture(
        "reliability.png",
        "A chart of accuracy against confidence. The points are close to the diagonal, where the two agree.",
        "Accuracy at each level of confidence, with 95 % intervals.",
    ),
)
_SHARES = (  # the metric and its description
    ("test_accuracy", "MNIST's test digits"),
    ("canvas_accuracy", "Test digits redrawn large, small, thin, thick, or anywhere on a canvas"),
    ("line_accuracy", "Lines of 3 to 8 test digits, read without a mistake"),
    ("paper_accuracy", "Characters on papers filled in with test digits, half of them photographed"),
    ("papers_right", "The same papers, read without a mistake"),
    ("spoilt_accuracy", "Digits that are blurred, crossed by printed lines or cut from neighbours"),
    ("prototype_accuracy", "Synthetic digits in forms that are rare in MNIST"),
    ("false_reject_rate", "Test digits rejected as “not a digit”"),
    ("false_accept_rate", "Scribbles, letters and other marks taken for digits"),
    ("expected_calibration_error", "Calibration error, test digits"),
    ("canvas_calibration_error", "Calibration error, redrawn digits"),
    ("number_calibration_error", "Calibration error, whole numbers on papers"),
)
_SOURCES = {
    "plain": "MNIST's test digits",
    "prototypes": "forms that are rare in MNIST",
    "redrawn": "redrawn with other pens",
    "spoilt": "blurred, crossed or cut",
    "scans": "small scans",
    "thick": "thick strokes",
}
_WEAK = (
    "Faint or noisy photos of sudokus, combs in noisy photos, and faint dashed tables in large photos.",
    "Slanted boxes that are cut off at the top and bottom, and tables without side lines in photos.",
    "Points and commas that touch a digit, digits that reach far into the next cell, and short printed words "
    "whose letters look like digits.",
    "Scribbles with few turns, and letters that look like digits (O, l, S, Z, b, g, q), are taken for "
    "digits. On scans of 20 pixels or less, so are two scribbles in ten.",
)
_LIMITS = (
    "It reads the digits 0 to 9, minus signs, points and commas, but not letters, words or other numerals.",
    "Its confidence is calibrated for pictures like those above. Other hands, pens and cameras were not "
    "measured.",
    "MNIST's writers lived in the United States. Forms used elsewhere are known only from this project's own "
    "drawings.",
    "Some wrong answers have a high confidence. Let a person check what matters, and do not base decisions "
    "about people on its answers alone.",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sources of a card.

    `figures` is the content of reports/metrics.json, `trained_with` has the training parameters with dotted
    names, `gate` is the content of reports/promotion.json (None if it was not kept), and `processor` is the
    training's processor ("" if unknown).
    """

    figures: Mapping[str, Any]
    manifest: Manifest
    trained_with: Mapping[str, Any]
    gate: Mapping[str, Any] | None = None
    processor: str = ""


def card(evidence: Evidence) -> str:
    """Return the card as Markdown, without its pictures and longer tables."""
    return markdown(_document(evidence))


def card_html(evidence: Evidence, pictures: Path) -> str:
    """Return the card as a self-contained web page, with the report's pictures that exist in `pictures`."""
    found = [picture.name for picture in _PICTURES if (pictures / picture.name).is_file()]
    return page(_document(evidence), {name: small_png(pictures / name) for name in found})


def _document(evidence: Evidence) -> Document:
    figures = evidence.figures
    sections = (
        Section("Intended use", (Text([_purpose(evidence.manifest)]),)),
        Section("Metrics", _measured(figures)),
        Section("Compared with the model in service", _gate(evidence.gate)),
        Section("Weaknesses", (Items([*_worst(figures), *_WEAK]), *_PICTURES)),
        Section("Limits", (Items(_LIMITS),)),
        Section("Data", _data(figures)),
        Section("Training", _training(evidence)),
    )
    return Document(_title(evidence.manifest), sections, {MODEL: evidence.manifest.sha256})


def _title(manifest: Manifest) -> str:
    if manifest.version == "default":
        return "Model card: digits, the default model"
    return f"Model card: digits, version {manifest.version}" if manifest.version else "Model card: digits"


def _purpose(manifest: Manifest) -> str:
    rejects = manifest.rejection_threshold is not None
    says_no = " It rejects other marks as “not a digit”." if rejects else ""
    return (
        "A small convolutional network that reads one handwritten digit of 28 by 28 pixels. The code around "
        f"it finds the digits in a drawing, a photo, a form or a table.{says_no} It is for people who want "
        "to digitise handwritten numbers, and for people who learn how such a system is built and operated."
    )


def _measured(figures: Mapping[str, Any]) -> list[Text | Table]:
    """Return the tables of metrics, without tables for which nothing was measured."""
    rows = [
        (words, *_share(figures, name), name) for name, words in _SHARES if _number(figures, name) is not None
    ]
    if "reject_auroc" in figures:
        told = "Digits distinguished from other marks (AUROC; 0.5 is chance)"
        rows.append((told, *_score(figures, "reject_auroc"), "reject_auroc"))
    errors = figures.get("test_errors")
    mistakes = f" Mistakes on the test digits: {errors:.0f}." if errors is not None else ""
    lead = (
        "Measured on MNIST's test digits, which are used for no decision, and on pictures drawn with them. "
        f"The names are those in reports/metrics.json.{mistakes}"
    )
    tables = [
        _table("Accuracy, unless the row says otherwise", "What", rows),
        _group(figures, "recall", "Accuracy by digit, MNIST's test digits (recall)", "Digit"),
        _group(figures, "canvas", "Accuracy by kind of drawing, redrawn digits (canvas)", "Drawn"),
        _group(figures, "false_rejects", "Rejected, although read correctly (false_rejects)", "Digits"),
        _group(figures, "reject_auroc_of", "AUROC of digits against other marks (reject_auroc_of)", "Mark"),
    ]
    return [Text([lead]), *(table for table in tables if table.rows)]


def _group(figures: Mapping[str, Any], group: str, caption: str, head: str) -> Table:
    """Return the table of one group of metrics by kind."""
    shown = _score if "auroc" in group else _share
    names = {one: f"{group}.{one}" for one in figures.get(group, {})}
    words = _SOURCES if group == "false_rejects" else {}
    rows = [(words.get(one, one), *shown(figures, name), "") for one, name in names.items()]
    return replace(_table(caption, head, rows), names=(), is_detail=True)


def _table(caption: str, head: str, rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of description, value, interval and name; without intervals if the report has none."""
    width = 3 if any(between for _, _, between, _ in rows) else 2
    heads = (head, "Value", "95 % interval")[:width]
    return Table(caption, heads, [row[:width] for row in rows], [name for *_, name in rows])


def _share(figures: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return a share and its interval in percent."""
    low, high = _interval(figures, name)
    between = "" if low is None or high is None else f"{100 * low:.2f} to {_percent(high)}"
    return _percent(_number(figures, name)), between


def _score(figures: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return a metric from 0 to 1 and its interval as decimals."""
    low, high = _interval(figures, name)
    between = "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
    return _decimal(_number(figures, name)), between


def _interval(figures: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    low, high = flat(figures.get("intervals") or {}).get(name) or (None, None)
    return low, high


def _number(figures: Mapping[str, Any], name: str) -> float | None:
    """Return the metric with a dotted name; None if it is missing or not a finite number."""
    value: Any = figures
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}".replace("%", "\N{NO-BREAK SPACE}%")


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _worst(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence about the worst of each group of metrics."""
    said = []
    if recall := figures.get("recall"):
        lowest = sorted(recall, key=recall.__getitem__)[:3]
        each = ", ".join(f"{digit} ({_percent(recall[digit])})" for digit in lowest)
        said.append(f"The digits with the lowest accuracy are {each}.")
    if canvas := figures.get("canvas"):
        kind = min(canvas, key=canvas.__getitem__)
        said.append(f"Among redrawn digits, accuracy is lowest for “{kind}”: {_percent(canvas[kind])}.")
    if rejects := figures.get("false_rejects"):
        kind = max(rejects, key=rejects.__getitem__)
        what = _SOURCES.get(kind, kind)
        said.append(f"Digits are rejected most often in this group: {what} ({_percent(rejects[kind])}).")
    if auroc := figures.get("reject_auroc_of"):
        kind = min(auroc, key=auroc.__getitem__)
        said.append(f"The kind of mark most like digits is {kind} (AUROC {_decimal(auroc[kind])}).")
    return said


def _data(figures: Mapping[str, Any]) -> list[Text]:
    licence = Link("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/")
    mnist = (
        "MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges has 60,000 training images and "
        "10,000 test images by other writers. Part of the training images is the validation split, on which "
        "all decisions are based. LeCun and Cortes hold the copyright and make it available under ",
        licence,
        ".",
    )
    drawn = (
        "In addition, the project draws synthetic data from a seed, separately for each split: forms that "
        "are rare in MNIST, digits redrawn with other pens, digits with the defects of photos, small scans, "
        "and marks that are not digits.",
    )
    learnt, held_back = (_number(figures, f"accepted.{name}") or 0 for name in ("learnt", "held_back"))
    sent = f"Of users' feedback, {learnt:.0f} marks are training data and {held_back:.0f} validation data."
    return [Text(mnist), Text(drawn), Text([sent if learnt or held_back else "No data was sent by users."])]


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
        "Rejection threshold on small scans": _threshold(manifest.scan_rejection_threshold),
        "Test-time augmentation of doubtful digits": f"rotation by {turns} degrees" if turns else "",
    }
    parameters = {name: str(value) for name, value in evidence.trained_with.items()}
    tables = (
        Table("The training run", ("What", "Value"), _filled(facts)),
        Table("SHA-256", ("Of", "Value"), _filled(hashes), is_detail=True),
        Table("Set after training, on validation", ("What", "Value"), _filled(settings), is_detail=True),
        Table(
            "Parameters (section train of params.yaml)",
            ("Name", "Value"),
            _filled(parameters),
            is_detail=True,
        ),
    )
    return [table for table in tables if table.rows]


def _filled(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in values.items() if value]


def _day(created: str) -> str:
    """Return the day of an ISO time, or the text unchanged if it is not one."""
    try:
        return datetime.fromisoformat(created).strftime("%Y-%m-%d")
    except ValueError:
        return created


def _epochs(figures: Mapping[str, Any]) -> str:
    epochs, best = _number(figures, "epochs"), _number(figures, "best_epoch")
    if epochs is None:
        return ""
    return f"{epochs:.0f}" if best is None else f"{epochs:.0f}; the weights are those of epoch {best:.0f}"


def _threshold(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _gate(gate: Mapping[str, Any] | None) -> list[Text | Table]:
    """Return the promotion decision and its table, on validation digits."""
    if gate is None:
        return [Text(["There is no record of a comparison of this version with another model."])]
    sentence = str(gate.get("sentence") or "").removesuffix(".")
    parts: list[Text | Table] = [Text([f"{sentence[:1].upper()}{sentence[1:]}."])] if sentence else []
    rows = gate.get("rows") or []
    if rows:
        rival = gate.get("rival")
        smallest = gate.get("smallest_shown")
        caption = f"Compared with {rival} on validation digits" if rival else "On validation digits"
        if smallest is not None:
            caption += f" (smallest significant difference of the primary: {smallest:.4f})"
        heads = ("What", "This version", "Other", "Difference (95 % interval)", "p", "Verdict")
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
