"""Read pictures of handwritten digits from the shell: `python -m digits FILE ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image

from digits.errors import DigitsError
from digits.reader import Reader, Reading


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m digits", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture of digits")
    parser.add_argument(
        "--model", type=Path, default=Path("models/champion"), help="model folder (%(default)s)"
    )
    options = parser.parse_args()
    try:
        reader = Reader.load(options.model)
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    failed = False
    for path in options.files:
        try:
            with Image.open(path) as image:
                print(f"{path}: {_describe(reader.read(image))}")
        except (DigitsError, OSError) as error:
            failed = True
            print(f"{path}: cannot be read ({error})", file=sys.stderr)
    return int(failed)


def _describe(reading: Reading) -> str:
    if not reading.digits:
        return "blank"
    sure = ", ".join("?" if mark.confidence is None else f"{mark.confidence:.1%}" for mark in reading.digits)
    return f"{reading.text} ({sure})"


if __name__ == "__main__":
    sys.exit(main())
