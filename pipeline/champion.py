"""Show which version is the champion, when, why and by which command it was promoted, and its predecessors.

The command changes nothing. To change the champion, use `python -m pipeline.promote VERSION` or
`python -m pipeline.rollback`.
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

SHOWN = 10  # changes before the current one


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.champion", description=__doc__).parse_args()
    return command(run)


def run() -> None:
    """Print the champion and its history; raises `ModelError` if there is no champion."""
    client = open_registry()
    present = versions.champion_version(client)
    if present is None:
        raise ModelError(
            "There is no champion. `make repro` trains one, and `make promote VERSION=n` chooses a version."
        )
    done = history.changes(client)
    for line in described(str(present.version), done):
        print(line)
    if not is_served(present):
        print(f"It is not served yet, because {served()}. Run `python -m pipeline.promote --sync`.")


def described(version: str, done: Sequence[Change]) -> list[str]:
    """Return a line about the champion, and a table of earlier changes, newest first."""
    if not done or done[-1].version != version:
        lines = [f"champion: version {version}, by a change that is not recorded yet"]
        earlier = done
    else:
        *earlier, last = done
        lines = [f"champion: version {version} since {time(last)}, by {last.by}: {last.reason}"]
    if not earlier:
        return [*lines, "No earlier champion is on record."]
    rows = [("earlier", "since", "by", "reason")]
    rows += [(f"version {one.version}", time(one), one.by, one.reason) for one in reversed(earlier[-SHOWN:])]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines += ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows]
    left = len(earlier) - SHOWN
    return lines + ([f"and {left} earlier changes"] if left > 0 else [])


def time(change: Change) -> str:
    """Return the time of a change in a readable form."""
    return change.when.replace("T", " ").replace("+00:00", " UTC")


def served() -> str:
    """Return a phrase on the version of the served files."""
    try:
        return f"{champion()} has version {Manifest.load(champion()).version}"
    except ModelError:
        return f"{champion()} has no model"


if __name__ == "__main__":
    sys.exit(main())
