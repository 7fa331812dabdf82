"""The record of which version was the champion when: one tag of the registered model for each change.

Tags, since they lie in the registry beside the alias, show in MLflow's page, and are saved and moved with it.

Several machines may change the champion of one registry at once, and no lock of files holds across them. So
each change has a tag of its own, whose name no other machine chooses: none can write over another's.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.project.paths import NAME
from pipeline.registry.runs import is_absent

KEY = "promotion."  # then six digits, the order of the changes, and a word that keeps equal numbers apart
BEGUN = "promotion.begun"  # the change that is being made, with its tag: what a kill leaves to be recorded
NUMBERED = re.compile(re.escape(KEY) + r"(\d{6})(\.[\w-]+)?")
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

    def as_json(self, key: str = "") -> str:
        """The value of its tag; the one of `BEGUN` says the name of that tag too."""
        values: dict[str, Any] = {
            "when": self.when,
            "from": self.before,
            "to": self.version,
            "reason": self.reason[:LONGEST],
            "by": self.by,
            "kind": self.kind,
        }
        return json.dumps(values | {"key": key} if key else values, ensure_ascii=False)


def now() -> str:
    """The time as a change says it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def changes(client: MlflowClient) -> list[Change]:
    """All changes on record, oldest first; a tag that somebody has made unreadable is left out."""
    return _changes(_tags(client))


def begin(client: MlflowClient, change: Change) -> str:
    """Note what is about to be changed, so that it can be recorded even if this process is killed over it.

    Gives the name of its tag: whoever records it, here or on another machine, writes the same one.
    """
    key = _key(_next(_tags(client)), uuid.uuid4().hex[:8])
    client.set_registered_model_tag(NAME, BEGUN, change.as_json(key))
    return key


def append(client: MlflowClient, change: Change, key: str) -> None:
    """Record a change that has been made, under the tag that `begin` or `unrecorded` gave."""
    client.set_registered_model_tag(NAME, key, change.as_json())


def unrecorded(client: MlflowClient, version: str, by: str) -> tuple[Change, str] | None:
    """The change that led to the champion `version`, where the record does not end with it; else None.

    It is the one that was begun and not recorded, since its process was killed or is just about to, or else
    a move of the alias by others, which `by` has found just now. With it the tag to record it under, which is
    the same for all that find it.
    """
    tags = _tags(client)
    done = _changes(tags)
    before = done[-1].version if done else ""
    if before == version:
        return None
    number, begun = _next(tags), tags.get(BEGUN, "")
    change = _read(begun)
    if change is not None and change.version == version:
        key = str(json.loads(begun).get("key"))
        if key.startswith(_key(number, "")):
            return change, key
    reason = "alias moved in the registry" if done else "alias found in the registry"
    return Change(now(), before, version, reason, by, MOVE), _key(number, f"{MOVE}-{version}")


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
    found = [(number, key, _read(tags[key])) for key, number in _numbers(tags).items()]
    read = [(number, change.when, key, change) for number, key, change in found if change is not None]
    return [change for *_, change in sorted(read, key=lambda one: one[:3])]


def _numbers(tags: Mapping[str, str]) -> dict[str, int]:
    """The tags that record changes, with their numbers."""
    matches = {key: NUMBERED.fullmatch(key) for key in tags}
    return {key: int(match[1]) for key, match in matches.items() if match}


def _next(tags: Mapping[str, str]) -> int:
    return max(_numbers(tags).values(), default=0) + 1


def _key(number: int, word: str) -> str:
    return f"{KEY}{number:06d}.{word}"


def _read(text: str) -> Change | None:
    """A change from the value of its tag; None where it is none."""
    try:
        told = json.loads(text)
        return Change(*(str(told[name]) for name in ("when", "from", "to", "reason", "by", "kind")))
    except (ValueError, TypeError, KeyError):
        return None
