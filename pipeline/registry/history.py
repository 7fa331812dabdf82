"""The record of which version was the champion when: one tag of the registered model for each change.

Tags, since they lie in the registry beside the alias, show in MLflow's page, and are saved and moved with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.project.paths import NAME
from pipeline.registry.runs import is_absent

KEY = "promotion."  # and six digits: the changes in their order
BEGUN = "promotion.begun"  # the change that is being made, with its number: what a kill leaves to be recorded
LONGEST = 1000  # characters of a reason; MLflow's column for a tag's value holds 5,000

PROMOTION = "promotion"
ROLLBACK = "rollback"
MOVE = "move"  # of the alias alone, by MLflow's page or another client


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the champion, from version `before` ("" where there was none) to `version`.

    `when` is UTC in ISO 8601, to the second; `by` names the command; `kind` is one of the three above.
    """

    when: str
    before: str
    version: str
    reason: str
    by: str
    kind: str

    def as_json(self, number: int | None = None) -> str:
        """The value of its tag; the one of `BEGUN` says its number too."""
        values: dict[str, Any] = {
            "when": self.when,
            "from": self.before,
            "to": self.version,
            "reason": self.reason[:LONGEST],
            "by": self.by,
            "kind": self.kind,
        }
        return json.dumps(values if number is None else values | {"number": number}, ensure_ascii=False)


def now() -> str:
    """The time as a change says it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def changes(client: MlflowClient) -> list[Change]:
    """All changes on record, oldest first; a tag that somebody has made unreadable is left out."""
    return _changes(_tags(client))


def begin(client: MlflowClient, change: Change) -> None:
    """Note what is about to be changed, so that it can be recorded even if this process is killed over it."""
    number = _next(_tags(client))
    client.set_registered_model_tag(NAME, BEGUN, change.as_json(number))


def append(client: MlflowClient, change: Change) -> None:
    """Record a change that has been made."""
    number = _next(_tags(client))
    client.set_registered_model_tag(NAME, f"{KEY}{number:06d}", change.as_json())


def unrecorded(client: MlflowClient, version: str, by: str) -> Change | None:
    """The change that led to the champion `version`, where the record does not end with it; else None.

    It is the one that was begun and killed before it was recorded, or else a move of the alias by others,
    which `by` has found just now.
    """
    tags = _tags(client)
    done = _changes(tags)
    before = done[-1].version if done else ""
    if before == version:
        return None
    begun = tags.get(BEGUN, "")
    change = _read(begun)
    if change is not None and change.version == version and json.loads(begun).get("number") == _next(tags):
        return change
    reason = "alias moved in the registry" if done else "alias found in the registry"
    return Change(now(), before, version, reason, by, MOVE)


def stack(done: Sequence[Change]) -> list[str]:
    """The versions to which a rollback can return, oldest first, and the present champion last.

    A promotion or a move adds its version; a rollback removes all above the one that it returned to.
    """
    versions: list[str] = []
    for change in done:
        if not versions and change.before:
            versions.append(change.before)
        if change.kind == ROLLBACK and change.version in versions:
            last = len(versions) - 1 - versions[::-1].index(change.version)
            del versions[last + 1 :]
        elif versions[-1:] != [change.version]:
            versions.append(change.version)
    return versions


def _tags(client: MlflowClient) -> Mapping[str, str]:
    try:
        tags: Mapping[str, str] = client.get_registered_model(NAME).tags
        return tags
    except MlflowException as error:
        if not is_absent(error):
            raise
        return {}


def _changes(tags: Mapping[str, str]) -> list[Change]:
    found = (_read(tags[f"{KEY}{number:06d}"]) for number in _numbers(tags))
    return [change for change in found if change is not None]


def _numbers(tags: Mapping[str, str]) -> list[int]:
    endings = (key.removeprefix(KEY) for key in tags if key.startswith(KEY))
    return sorted(int(ending) for ending in endings if len(ending) == 6 and ending.isdecimal())


def _next(tags: Mapping[str, str]) -> int:
    return max(_numbers(tags), default=0) + 1


def _read(text: str) -> Change | None:
    """A change from the value of its tag; None where it is none."""
    try:
        told = json.loads(text)
        return Change(*(str(told[name]) for name in ("when", "from", "to", "reason", "by", "kind")))
    except (ValueError, TypeError, KeyError):
        return None
