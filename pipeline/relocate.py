"""Put MLflow's artifact addresses right after the project was moved: `python -m pipeline.relocate`.

Every command that connects to the store does it by itself; only what opens MLflow without this project's code
needs it. Containers need none, and do nothing here.
"""

from __future__ import annotations

import argparse

from pipeline.registry.relocation import relocate


def main() -> None:
    argparse.ArgumentParser(prog="python -m pipeline.relocate", description=__doc__).parse_args()
    relocate()


if __name__ == "__main__":
    main()
