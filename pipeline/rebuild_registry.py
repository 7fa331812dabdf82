"""Make MLflow's registry anew where its database is damaged or lost: `make rebuild-registry`.

The damaged `mlruns/mlflow.db` is renamed and never deleted. Runs, versions with their numbers, the champion
and the record of promotions come from `mlruns/records`, from what is readable of the damaged database, and
from the artifacts. A database that is whole is left alone, unless with --force.
"""

# Why it is so: docs/decisions/damage.md
from __future__ import annotations

import argparse
import sys
import time

from pipeline.project.errors import RegistryError
from pipeline.project.paths import champion, database, store
from pipeline.registry import damage, records, runs, server
from pipeline.registry.access import command
from pipeline.registry.promotion import sync
from pipeline.registry.rebuilding import Rebuilt, rebuild


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.rebuild_registry", description=__doc__)
    parser.add_argument("--force", action="store_true", help="also where the database seems whole")
    force = parser.parse_args().force
    return command(lambda: run(force=force))


def run(*, force: bool) -> None:
    """Rebuild and say what came of it; raises `RegistryError` where that cannot be done, or need not be."""
    if server.is_elsewhere():
        raise RegistryError(
            "MLFLOW_TRACKING_URI names a team's server, whose database is restored from its backup:"
            " docs/team.md. `MLFLOW_TRACKING_URI= make rebuild-registry` is for this machine's own."
        )
    if is_whole() and not force:
        print(f"{database()} is whole: nothing is rebuilt.")
        return
    began = time.monotonic()
    for line in told(rebuild()):
        print(line)
    client = runs.connect()
    served = sync(client, by="rebuild-registry")
    records.keep_model()
    if served is None:
        print("No version is the champion: `make promote VERSION=n` chooses one.")
    else:
        print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    print(f"The registry is made anew, in {time.monotonic() - began:.0f} s.")
    if others := damage.holders():
        print(f"Restart what has it open: {', '.join(others)}.")


def is_whole() -> bool:
    """Whether the database can be used; raises `RegistryError` where it is locked, or not to be written."""
    if not database().exists() or not database().stat().st_size:
        if not any(store().glob("[!.]*")):
            raise RegistryError(f"{store()} holds nothing to make a registry from: `make repro` makes one.")
        return False
    return not damage.damage() and not damage.lacks_tables()


def told(done: Rebuilt) -> list[str]:
    """What came of it, in sentences."""
    lines = [f"The damaged database is kept as {done.aside}."] if done.aside else []
    counted = [f"{count} from {source}" for source, count in done.runs.items() if count]
    lines.append(f"Runs: {', '.join(counted) or f'none; {records.folder()} holds no record'}.")
    lines.append(f"Versions: {', '.join(map(str, done.versions)) or 'none'}.")
    return lines + [f"Not restored: {one}." for one in done.missing]


if __name__ == "__main__":
    sys.exit(main())
