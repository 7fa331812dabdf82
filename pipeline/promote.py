"""Make a version of the registered model the champion, or write the champion's files anew.

`python -m pipeline.promote VERSION` makes a registered version the champion, and a running service serves it
within two seconds; `python -m pipeline.promote --sync` writes the files of the present one anew.
`python -m pipeline.rollback` returns to the one before, `python -m pipeline.champion` says which it is.
"""

from __future__ import annotations

import argparse
import sys

from digits.errors import ModelError
from pipeline.project.paths import champion
from pipeline.registry.access import command, open_registry
from pipeline.registry.promotion import promote, sync


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.promote", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("version", nargs="?", metavar="VERSION", help="a version of the registered model")
    what.add_argument("--sync", action="store_true", help="write the champion's files from the registry")
    parser.add_argument("--reason", default="by hand", metavar="TEXT", help="why, for the record")
    options = parser.parse_args()
    return command(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    """Promote or sync, and say what is served; raises `ModelError`."""
    client = open_registry()
    served = sync(client) if options.sync else promote(client, options.version, options.reason, "promote")
    if served is None:
        raise ModelError("No version is the champion yet: `make repro` trains one.")
    print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")


if __name__ == "__main__":
    sys.exit(main())
