"""The summary of `make learn` in one paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.gate import ACCEPTED
from pipeline.learning.index import AcceptedPicture

_OF = {
    "plain": "MNIST's digits",
    "redrawn": "digits with other pens",
    "prototypes": "forms that are rare in MNIST",
    "papers": "characters on papers",
    "canvas": "digits on canvases",
    "lines": "lines of digits",
}
_SEEN = 0.0005  # smaller changes of an accuracy are not mentioned


def changes(before: Mapping[str, AcceptedPicture], after: Mapping[str, AcceptedPicture]) -> str:
    """Return sentences on what changed in the selection of feedback."""
    new = [taken for id, taken in after.items() if id not in before]
    held = sum(taken.side == "validation" for taken in new)
    all_held = sum(taken.side == "validation" for taken in after.values())
    parts = []
    if new:
        parts.append(
            f"{_pictures(len(new))} of feedback {_are(len(new))} new: {len(new) - held} for training and"
            f" {held} for validation."
        )
    if other := sum(id in before and taken.label != before[id].label for id, taken in after.items()):
        parts.append(f"{_pictures(other)} {_have(other)} a new label.")
    if gone := sum(id not in after for id in before):
        parts.append(f"{_pictures(gone)} {_have(gone)} been dropped.")
    if len(new) < len(after):
        parts.append(f"In total, {len(after) - all_held} are for training and {all_held} for validation.")
    return " ".join(parts)


def outcome(decision: Mapping[str, Any], version: str, champion: str) -> str:
    """Return sentences that compare the new model, `version`, with its rival and say which one is served.

    `decision` is the content of `reports/promotion.json`, and `champion` is the version that is served now,
    or "".
    """
    rows = {row["name"]: row for row in decision["rows"]}
    rival = decision["rival"] or "the previous model"
    parts = []
    if row := rows.get(ACCEPTED):
        share = _percent(row["candidate"])
        both = f"{rival} reads {_percent(row['rival'] or 0)} correctly, and the new model {share}"
        alone = f"the new model reads {share} correctly"
        parts.append(f"Of the validation feedback, {alone if row['rival'] is None else both}.")
    compared = [row for row in decision["rows"] if row["name"].startswith(("primary: ", "guard: "))]
    named = {row["name"].rpartition(": ")[2]: row for row in compared}
    seen = [
        f"{words}, {_percent(named[name]['candidate'])} ({_percent(named[name]['rival'])} before)"
        for name, words in _OF.items()
        if name in named and abs(named[name]["difference"] or 0) >= _SEEN
    ]
    if decision["rival"] is not None:
        listed = f"Its other accuracies are: {'; '.join(seen)}."
        parts.append(listed if seen else "No other accuracy has changed.")
    if champion == version:
        parts.append(f"Version {version}, the new model, is served, because {decision['sentence']}.")
    else:
        served = f"Version {champion}" if champion else "The default model"
        parts.append(
            f"{served} stays in service. Version {version}, the new model, does not replace it, because"
            f" {decision['sentence']}. To serve it nevertheless, run `make promote VERSION={version}`."
        )
    return " ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
