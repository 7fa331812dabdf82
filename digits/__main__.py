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
from digits.pictures import files_in, why_unread
from digits.reader import Reader, champion_or_default

_STDIN = Path("-")
_MANY = 10  # files: more get a progress bar
_BAR = 30  # characters


class Picture(NamedTuple):
    """A file, and its name below the folder that was named."""

    path: Path
    name: Path


def main(arguments: list[str] | None = None) -> int:
    """Read all files; the exit status is 0 if all could be read, 1 if some could not, 2 without a model."""
    options = _options(arguments)
    if options.cluster:
        return _read_on_cluster(options)
    try:
        reader = Reader.load(options.model)
    except DigitsError as error:
        print(error, file=sys.stderr)
        return 2
    files = [file for path in options.files for file in _pictures(Path(path))]
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


def _read_on_cluster(options: argparse.Namespace) -> int:
    try:
        from digits.cluster.answers import Shape
        from digits.cluster.run import Order, run
    except ModuleNotFoundError as error:
        print(f"--cluster needs {error.name}: pip install 'digits[cluster]'.", file=sys.stderr)
        return 2
    shape = Shape(options.format, options.table, options.min_confidence)
    return run(
        Order(options.files, options.cluster, options.output, options.model, shape, options.part_files)
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="digits", description=__doc__)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a picture of digits, a folder of pictures, or - for a picture from standard input",
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=champion_or_default(),
        help="model folder (models/champion if it is there, else the model in the package)",
    )
    parser.add_argument(
        "--format", choices=(*sorted(WRITERS), "parquet"), help="(text; with --cluster parquet or csv)"
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="where the files of --table and --cluster go (for tables: the present folder)",
    )
    cluster = parser.add_argument_group("cluster", "millions of pictures, through Ray: docs/bulk.md")
    cluster.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="read on the cluster at HOST:PORT; auto: this machine's, else a new one; local: a new one. FILE "
        "may be a zip or tar archive and s3://BUCKET/..., and --output s3://... too",
    )
    cluster.add_argument(
        "--part-files",
        type=_count,
        default=256,
        metavar="N",
        help="the most files whose answers are written together (256)",
    )
    tables = parser.add_argument_group("tables")
    tables.add_argument(
        "--table",
        action="store_true",
        help="the table on a picture as CSV; of several pictures, a file each in the folder of --output",
    )
    tables.add_argument(
        "--min-confidence",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help=f"0 to 1: numbers less sure than that are followed by {DOUBTFUL!r}",
    )
    options = parser.parse_args(arguments)
    if options.cluster:
        return _cluster_options(parser, options)
    if options.format == "parquet":
        parser.error("--format parquet is for --cluster")
    if options.table and options.format:
        parser.error("--table writes CSV: leave out --format")
    if not options.table and (options.output or options.min_confidence):
        parser.error("--output and --min-confidence are for tables: add --table")
    options.format = options.format or "text"
    return options


def _cluster_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    options.format = options.format or "parquet"
    if options.format not in ("parquet", "csv"):
        parser.error("--cluster writes --format parquet or csv")
    if not options.output:
        parser.error("--cluster needs --output, a folder that all its machines share, or s3://...")
    if options.min_confidence and not options.table:
        parser.error("--min-confidence is for tables: add --table")
    if str(_STDIN) in options.files:
        parser.error("--cluster reads files, folders, archives and s3://..., and no standard input")
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("name a number from 1")
    return int(text)


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
    return TableFiles(Path(options.output or ""), _say, options.min_confidence)


def _pictures(path: Path) -> Iterator[Picture]:
    """A file itself; of a folder, all pictures in it and below, by name."""
    if not path.is_dir():
        yield Picture(path, Path(path.name))
        return
    for file in files_in(path):
        yield Picture(file, file.relative_to(path))


def _read(reader: Reader, picture: Picture) -> Row:
    path, name = picture
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()) if path == _STDIN else path) as image:
            return Row(path, reader.read(image), None, name)
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        return Row(path, None, why_unread(error))


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
