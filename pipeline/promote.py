"""Make a version of the registered model the champion, or restore the champion's files.

`python -m pipeline.promote VERSION` makes a registered version the champion, and a running service serves it
within two seconds. `python -m pipeline.promote --sync` restores the files of the current champion from the
registry. `python -m pipeline.rollback` returns to the previous champion, and `python -m pipeline.champion`
shows the history.
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
    what.add_argument("--sync", action="store_true", help="restore the champion's files from the registry")
    parser.add_argument("--reason", default="by hand", metavar="TEXT", help="reason for the history")
    options = parser.parse_args()
    return command(lambda: run(options))


def run(options: argparse.Namespace) -> None:
    """Promote or sync, and print what is served; raises `ModelError`."""
    client = open_registry()
    served = sync(client) if options.sync else promote(client, options.version, options.reason, "promote")
    if served is None:
        raise ModelError("There is no champion yet. `make repro` trains one.")
    print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")


if __name__ == "__main__":
    sys.exit(main())
