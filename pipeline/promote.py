"""Make a version of the registered model the champion, or write the champion's files anew.

`python -m pipeline.promote VERSION` makes a registered version the champion (a roll-back too);
`python -m pipeline.promote --sync` writes the files of the present one anew.
"""

from __future__ import annotations

import argparse
import sys

from digits.errors import ModelError
from pipeline.project.paths import champion
from pipeline.registry import runs
from pipeline.registry.promotion import promote, sync


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.promote", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("version", nargs="?", metavar="VERSION", help="a version of the registered model")
    what.add_argument("--sync", action="store_true", help="write the champion's files from the registry")
    options = parser.parse_args()
    try:
        client = runs.connect()
        served = sync(client) if options.sync else promote(client, options.version)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    if served is None:
        print("No version is the champion yet: `make repro` trains one.", file=sys.stderr)
        return 1
    print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
