"""Say which version is the champion, since when, why and by what, and what was the champion before it.

It changes nothing: `python -m pipeline.promote VERSION` and `python -m pipeline.rollback` do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from digits.errors import ModelError
from digits.network.model import Manifest
from pipeline.project.paths import champion
from pipeline.registry import history, versions
from pipeline.registry.access import command, open_registry
from pipeline.registry.history import Change
from pipeline.registry.promotion import is_served

SHOWN = 10  # changes before the present one


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.champion", description=__doc__).parse_args()
    return command(run)


def run() -> None:
    """Print the champion and the record; raises `ModelError` where there is no champion."""
    client = open_registry()
    present = versions.champion_version(client)
    if present is None:
        raise ModelError(
            "No version is the champion: `make repro` trains one, `make promote VERSION=n` chooses."
        )
    done = history.changes(client)
    for line in told(str(present.version), done):
        print(line)
    if not is_served(present):
        print(f"It is not served yet: {served()}. `python -m pipeline.promote --sync` writes its files.")


def told(version: str, done: Sequence[Change]) -> list[str]:
    """The champion in a sentence, and a table of the changes before, the newest first."""
    if not done or done[-1].version != version:
        lines = [f"champion: version {version}, by a change that is not on record yet"]
        earlier = done
    else:
        *earlier, last = done
        lines = [f"champion: version {version} since {time(last)}, by {last.by}: {last.reason}"]
    if not earlier:
        return [*lines, "There was none before it, as far as the record goes."]
    rows = [("before it", "since", "by", "reason")]
    rows += [(f"version {one.version}", time(one), one.by, one.reason) for one in reversed(earlier[-SHOWN:])]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines += ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows]
    left = len(earlier) - SHOWN
    return lines + ([f"and {left} changes before these"] if left > 0 else [])


def time(change: Change) -> str:
    """When a change was made, as people read it."""
    return change.when.replace("T", " ").replace("+00:00", " UTC")


def served() -> str:
    """Which version the served files are of."""
    try:
        return f"{champion()} holds version {Manifest.load(champion()).version}"
    except ModelError:
        return f"{champion()} holds no model"


if __name__ == "__main__":
    sys.exit(main())
