"""The history of the champion: the registered model has one tag for each change.

The history uses tags because they are in the registry with the alias, are visible in MLflow's UI, and are
saved and moved together with it.

Several machines may change the champion of one registry concurrently, and file locks do not work across
machines. Each change therefore has a tag with a unique name, so that no machine overwrites another's tag.
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

KEY = "promotion."  # followed by six digits, the order of the changes, and a word that makes the key unique
BEGUN = "promotion.begun"  # the change in progress and its key, which can be recorded after a kill
NUMBERED = re.compile(re.escape(KEY) + r"(\d{6})(\.[\w-]+)?")
LONGEST = 1000  # characters of a reason; MLflow's limit for a tag's value is 5,000

PROMOTION = "promotion"
ROLLBACK = "rollback"
MOVE = "move"  # of only the alias, in MLflow's UI or by another client


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the champion from version `before` ("" if there was none) to `version`.

    `when` is UTC in ISO 8601 to the second, `by` names the command, and `kind` is `PROMOTION`, `ROLLBACK` or
    `MOVE`.
    """

    when: str
    before: str
    version: str
    reason: str
    by: str
    kind: str

    def as_json(self, key: str = "") -> str:
        """Return the value of the change's tag; `key` is included for the tag `BEGUN`."""
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
    """Return the current time for `Change.when`."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def changes(client: MlflowClient) -> list[Change]:
    """Return all recorded changes, oldest first; tags that cannot be parsed are left out."""
    return _changes(_tags(client))


def begin(client: MlflowClient, change: Change) -> str:
    """Announce a change, so that it can be recorded even if this process is killed before it is finished.

    Returns the key of its tag. Any process that records the change, here or on another machine, uses this
    key.
    """
    key = _key(_next(_tags(client)), uuid.uuid4().hex[:8])
    client.set_registered_model_tag(NAME, BEGUN, change.as_json(key))
    return key


def append(client: MlflowClient, change: Change, key: str) -> None:
    """Record a finished change under the key from `begin` or `unrecorded`."""
    client.set_registered_model_tag(NAME, key, change.as_json())


def unrecorded(client: MlflowClient, version: str, by: str) -> tuple[Change, str] | None:
    """Return the missing change to the champion `version` and its key; None if the history ends with it.

    The change is the one announced by `begin`, if its process was killed or has not recorded it yet.
    Otherwise the alias was moved by someone else, and `by` is the command that noticed it. All processes that
    notice the same change get the same key.
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
    """Return the versions to which a rollback can return, oldest first, with the current champion last.

    A promotion or a move adds its version. A rollback removes all versions after the one that it returned to.
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
    """Return the keys of the tags that record changes, with their numbers."""
    matches = {key: NUMBERED.fullmatch(key) for key in tags}
    return {key: int(match[1]) for key, match in matches.items() if match}


def _next(tags: Mapping[str, str]) -> int:
    return max(_numbers(tags).values(), default=0) + 1


def _key(number: int, word: str) -> str:
    return f"{KEY}{number:06d}.{word}"


def _read(text: str) -> Change | None:
    """Parse a change from the value of its tag; None if it is invalid."""
    try:
        told = json.loads(text)
        return Change(*(str(told[name]) for name in ("when", "from", "to", "reason", "by", "kind")))
    except (ValueError, TypeError, KeyError):
        return None
