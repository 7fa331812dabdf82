"""Make the version before the present champion the champion again; a second time, the one before that.

A version whose files are gone is passed over. A running service follows within two seconds.
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
    """Roll back, and say to what; raises `ModelError`."""
    done = rollback(open_registry(), by="rollback")
    for sentence in done.skipped:
        print(sentence)
    print(f"champion: version {done.served.version} ({done.served.sha256[:12]}) in {champion()}")


if __name__ == "__main__":
    sys.exit(main())
