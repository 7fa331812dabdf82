"""Read pictures of handwritten digits from the shell: `digits FILE|FOLDER|- ...` (or `python -m digits`).

`digits --table sheet.jpg > sheet.csv` turns a photographed table into a spreadsheet.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from digits.errors import DigitsError
from digits.output.report import WRITERS, Row, Writer
from digits.output.spreadsheet import DOUBTFUL
from digits.output.table_files import TableFiles, TableStream
from digits.reader import Reader, champion_or_default

_STDIN = Path("-")
_KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_MANY = 10  # files: more get a progress bar
_BAR = 30  # characters


class Picture(NamedTuple):
    """A file, and its name below the folder that was named."""

    path: Path
    name: Path


def main(arguments: list[str] | None = None) -> int:
    """Read all files; the exit status is 0 if all could be read, 1 if some could not, 2 without a model."""
    options = _options(arguments)
    try:
        reader = Reader.load(options.model)
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    files = [file for path in options.files for file in _pictures(path)]
    try:
        return _read_all(reader, files, _writer(options, len(files)))
    except BrokenPipeError:  # whoever read the output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the end
        return 1


def _read_all(reader: Reader, files: Sequence[Picture], write: Writer) -> int:
    failed = 0
    for number, picture in enumerate(files, 1):
        row = _read(reader, picture)
        try:
            write.row(row)
        except DigitsError as error:
            row = Row(picture.path, None, str(error))
        failed += row.error is not None
        if row.error is not None:
            _say(f"{picture.path}: {row.error}")
        _progress(number, len(files))
    write.end()
    if not files:
        print("No pictures there: name files, or folders that hold some.", file=sys.stderr)
    return int(failed > 0 or not files)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="digits", description=__doc__)
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a picture of digits, a folder of pictures, or - for a picture from standard input",
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=champion_or_default(),
        help="model folder (models/champion if it is there, else the model in the package)",
    )
    parser.add_argument("--format", choices=sorted(WRITERS), help="(text)")
    tables = parser.add_argument_group("tables")
    tables.add_argument(
        "--table",
        action="store_true",
        help="the table on a picture as CSV; of several pictures, a file each in the folder of --output",
    )
    tables.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where the files go (the present folder)"
    )
    tables.add_argument(
        "--min-confidence",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help=f"0 to 1: numbers less sure than that are followed by {DOUBTFUL!r}",
    )
    options = parser.parse_args(arguments)
    if options.table and options.format:
        parser.error("--table writes CSV: leave out --format")
    if not options.table and (options.output or options.min_confidence):
        parser.error("--output and --min-confidence are for tables: add --table")
    options.format = options.format or "text"
    return options


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("name a share from 0 to 1")
    return share


def _writer(options: argparse.Namespace, files: int) -> Writer:
    if not options.table:
        return WRITERS[options.format](sys.stdout)
    if files == 1 and options.output is None:
        return TableStream(sys.stdout, _say, options.min_confidence)
    return TableFiles(options.output or Path(), _say, options.min_confidence)


def _pictures(path: Path) -> Iterator[Picture]:
    """A file itself; of a folder, all pictures in it and below, by name."""
    if not path.is_dir():
        yield Picture(path, Path(path.name))
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in _KINDS and file.is_file():
            yield Picture(file, file.relative_to(path))


def _read(reader: Reader, picture: Picture) -> Row:
    path, name = picture
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()) if path == _STDIN else path) as image:
            return Row(path, reader.read(image), None, name)
    except FileNotFoundError:
        return Row(path, None, "There is no such file.")
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        return Row(path, None, f"It cannot be read as a picture ({error}).")


def _say(sentence: str) -> None:
    print(f"{_cleared()}{sentence}", file=sys.stderr)


def _progress(number: int, count: int) -> None:
    """A bar on the terminal, where there are many files and someone looks."""
    if count <= _MANY or not sys.stderr.isatty():
        return
    done = _BAR * number // count
    print(f"\r[{'#' * done}{'.' * (_BAR - done)}] {number}/{count}", end="", file=sys.stderr, flush=True)
    if number == count:
        print(_cleared(), end="", file=sys.stderr, flush=True)


def _cleared() -> str:
    """What takes the bar off its line before something else is said there."""
    return "\r\033[K" if sys.stderr.isatty() else ""


if __name__ == "__main__":
    sys.exit(main())
