"""Correct MLflow's artifact addresses after the project was moved: `python -m pipeline.relocate`.

All commands that connect to the store do this themselves. It is only needed before opening MLflow without
this project's code. In containers it is not needed and does nothing.
"""

from __future__ import annotations

import argparse

from pipeline.registry.relocation import relocate


def main() -> None:
    argparse.ArgumentParser(prog="python -m pipeline.relocate", description=__doc__).parse_args()
    relocate()


if __name__ == "__main__":
    main()
