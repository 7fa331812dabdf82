"""What learning has changed, in one paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.gate import ACCEPTED
from pipeline.learning.index import Taken

_OF = {
    "plain": "MNIST's digits",
    "redrawn": "digits with other pens",
    "prototypes": "forms that MNIST hardly has",
    "papers": "characters on papers",
    "canvas": "digits on canvases",
    "lines": "lines of digits",
}
_SEEN = 0.0005  # of a share: smaller changes are not named


def changes(before: Mapping[str, Taken], after: Mapping[str, Taken]) -> str:
    """What was taken of the feedback, as sentences."""
    new = [taken for id, taken in after.items() if id not in before]
    held = sum(taken.side == "validation" for taken in new)
    all_held = sum(taken.side == "validation" for taken in after.values())
    parts = []
    if new:
        parts.append(
            f"{_pictures(len(new))} of feedback {_are(len(new))} new: {len(new) - held} to learn from,"
            f" {held} held back to judge by."
        )
    if other := sum(id in before and taken.label != before[id].label for id, taken in after.items()):
        parts.append(f"{_pictures(other)} {_have(other)} another label now.")
    if gone := sum(id not in after for id in before):
        parts.append(f"{_pictures(gone)} {_are(gone)} dropped.")
    if len(new) < len(after):
        parts.append(f"In all {len(after) - all_held} are learnt, and {all_held} held back.")
    return " ".join(parts)


def outcome(decision: Mapping[str, Any], version: str, champion: str) -> str:
    """How the new model, `version`, reads beside the one before, and which is served, as sentences.

    `decision` is that of `reports/promotion.json`; `champion` the version that is served now, or "".
    """
    rows = {row["name"]: row for row in decision["rows"]}
    rival = decision["rival"] or "the model before"
    parts = []
    if row := rows.get(ACCEPTED):
        share = _percent(row["candidate"])
        both = f"{rival} reads {_percent(row['rival'] or 0)} right, and the new model {share}"
        alone = f"the new model reads {share} right"
        parts.append(f"Of what is held back, {alone if row['rival'] is None else both}.")
    compared = [row for row in decision["rows"] if row["name"].startswith(("primary: ", "guard: "))]
    named = {row["name"].rpartition(": ")[2]: row for row in compared}
    seen = [
        f"{words}, {_percent(named[name]['candidate'])} ({_percent(named[name]['rival'])} before)"
        for name, words in _OF.items()
        if name in named and abs(named[name]["difference"] or 0) >= _SEEN
    ]
    if decision["rival"] is not None:
        parts.append(f"Else it reads right: {'; '.join(seen)}." if seen else "Nothing else has changed.")
    if champion == version:
        parts.append(f"Version {version}, the new model, is served: {decision['sentence']}.")
    else:
        served = f"Version {champion}" if champion else "The default model"
        parts.append(
            f"{served} stays in service, and version {version}, the new model, does not take over:"
            f" {decision['sentence']}; `make promote VERSION={version}` serves it all the same."
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
