"""Make the previous champion the champion again; repeat the command to go further back.

Versions whose files are missing are skipped. A running service follows within two seconds.
"""

from __future__ import annotations

import argparse
import sys

from pipeline.project.paths import champion
from pipeline.registry.access import command, open_registry
from pipeline.registry.promotion import rollback


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.rollback", description=__doc__).parse_args()
    return command(run)


def run() -> None:
    """Roll back, and print the new champion; raises `ModelError`."""
    done = rollback(open_registry(), by="rollback")
    for sentence in done.skipped:
        print(sentence)
    print(f"champion: version {done.served.version} ({done.served.sha256[:12]}) in {champion()}")


if __name__ == "__main__":
    sys.exit(main())
