"""Rebuild MLflow's registry if its database is damaged or missing: `make rebuild-registry`.

The damaged `mlruns/mlflow.db` is renamed and never deleted. Runs, versions with their numbers, the champion
and the history of promotions are restored from `mlruns/records`, from the readable rows of the damaged
database, and from the artifacts. An intact database is not changed, except with --force.
"""

# See docs/decisions/damage.md.
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
    parser.add_argument("--force", action="store_true", help="rebuild even if the database seems intact")
    force = parser.parse_args().force
    return command(lambda: run(force=force))


def run(*, force: bool) -> None:
    """Rebuild the registry if necessary, and print the result; raises `RegistryError`."""
    if server.is_elsewhere():
        raise RegistryError(
            "MLFLOW_TRACKING_URI names a team's server, whose database is restored from its backup (see"
            " docs/team.md). For this machine's database, run `MLFLOW_TRACKING_URI= make rebuild-registry`."
        )
    if is_whole() and not force:
        print(f"{database()} is intact, so nothing is rebuilt.")
        return
    began = time.monotonic()
    for line in described(rebuild()):
        print(line)
    client = runs.connect()
    served = sync(client, by="rebuild-registry")
    records.keep_model()
    if served is None:
        print("There is no champion. `make promote VERSION=n` chooses one.")
    else:
        print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    print(f"The registry was rebuilt in {time.monotonic() - began:.0f} s.")
    if others := damage.holders():
        print(f"Restart the processes that have it open: {', '.join(others)}.")


def is_whole() -> bool:
    """Whether the database is usable; raises `RegistryError` if it is locked or nothing can be rebuilt."""
    if not database().exists() or not database().stat().st_size:
        if not any(store().glob("[!.]*")):
            raise RegistryError(f"{store()} is empty, so nothing can be rebuilt. `make repro` creates it.")
        return False
    return not damage.damage() and not damage.lacks_tables()


def described(done: Rebuilt) -> list[str]:
    """Return the result in sentences."""
    lines = [f"The damaged database is kept as {done.aside}."] if done.aside else []
    counted = [f"{count} from {source}" for source, count in done.runs.items() if count]
    lines.append(f"Runs: {', '.join(counted) or f'none; there are no records in {records.folder()}'}.")
    lines.append(f"Versions: {', '.join(map(str, done.versions)) or 'none'}.")
    return lines + [f"Not restored: {one}." for one in done.missing]


if __name__ == "__main__":
    sys.exit(main())
