"""Read pictures of handwritten digits from the shell: `digits FILE|FOLDER|- ...` (or `python -m digits`).

`digits --table sheet.jpg > sheet.csv` turns a photographed table into a spreadsheet.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from digits.errors import DigitsError
from digits.output.progress import Bar
from digits.output.report import WRITERS, Row, Writer
from digits.output.spreadsheet import DOUBTFUL
from digits.output.stopping import INTERRUPTED, ended_by_ctrl_c, without_traceback
from digits.output.table_files import TableFiles, TableStream
from digits.pictures import is_picture, why_unread

if TYPE_CHECKING:  # importing it takes a second: see `_run`
    from digits.reader import Reader

_STDIN = Path("-")
_STATUS = f"""
Exit status: 0 if all files were read; 1 if some could not be read, if there were no files, or if the reader
of the output has stopped; 2 without a model, or if options contradict each other; {INTERRUPTED} after Ctrl-C.
"""


class Picture(NamedTuple):
    """A file, and its path relative to the folder that was given on the command line."""

    path: Path
    name: Path


def main(arguments: list[str] | None = None) -> int:
    """Read all files and return the exit status; `--help` lists the statuses."""
    return without_traceback(lambda: _run(_options(arguments)))


def _run(options: argparse.Namespace) -> int:
    if options.cluster:
        return _read_on_cluster(options)
    with ended_by_ctrl_c():
        from digits.reader import Reader, champion_or_default  # here, so that `--help` need not wait for it

        try:
            reader = Reader.load(options.model or champion_or_default())
        except DigitsError as error:
            print(error, file=sys.stderr)
            return 2
    skipped: Counter[str] = Counter()
    files = [file for path in options.files for file in _pictures(Path(path), skipped)]
    bar = Bar(len(files))
    status = _read_all(reader, files, _writer(options, len(files), bar), bar)
    if skipped:
        print(_skipped(skipped), file=sys.stderr)
    return status


def _read_on_cluster(options: argparse.Namespace) -> int:
    try:
        from digits.cluster.answers import Shape
        from digits.cluster.run import Order, run
        from digits.reader import champion_or_default
    except ModuleNotFoundError as error:
        print(f"--cluster needs {error.name}: pip install 'digits[cluster]'.", file=sys.stderr)
        return 2
    shape = Shape(options.format, options.table, options.min_confidence)
    model = options.model or champion_or_default()
    return run(Order(options.files, options.cluster, options.output, model, shape, options.part_files))


def _read_all(reader: Reader, files: Sequence[Picture], write: Writer, bar: Bar) -> int:
    failed = done = 0
    try:
        for done, picture in enumerate(files):
            row = _read(reader, picture)
            bar.clear()
            try:
                write.row(row)
            except DigitsError as error:
                row = Row(picture.path, None, str(error))
            failed += row.error is not None
            if row.error is not None:
                print(f"{picture.path}: {row.error}", file=sys.stderr)
            bar.show(done + 1)
    except KeyboardInterrupt:
        bar.clear()
        write.end(complete=False)
        print(f"Stopped: {done} of {len(files)} files were read.", file=sys.stderr)
        raise
    write.end()
    if not files:
        print("No pictures were found. Name files, or folders that contain pictures.", file=sys.stderr)
    return int(failed > 0 or not files)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="digits", description=__doc__, epilog=_STATUS)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a picture of digits, a folder of pictures, or - for a picture from standard input",
    )
    parser.add_argument(
        "--model",
        type=Path,
        help="model folder (default: models/champion if it exists, else the model in the package)",
    )
    parser.add_argument(
        "--format",
        choices=(*sorted(WRITERS), "parquet"),
        help="format of the output (default: text; with --cluster only parquet, its default, or csv)",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="folder for the files that --table and --cluster write (--table: the current folder by default)",
    )
    cluster = parser.add_argument_group("cluster", "read millions of pictures with Ray (docs/bulk.md)")
    cluster.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="read on the Ray cluster at HOST:PORT; auto: on this machine's cluster, or on a new one if "
        "there is none; local: on a new one. FILE may also be a zip or tar archive or s3://BUCKET/..., and "
        "--output may be s3://...",
    )
    cluster.add_argument(
        "--part-files",
        type=_count,
        default=256,
        metavar="N",
        help="largest number of pictures whose answers are written to one file (default: 256)",
    )
    tables = parser.add_argument_group("tables")
    tables.add_argument(
        "--table",
        action="store_true",
        help="write the table on the picture as CSV; for several pictures, one file each in --output",
    )
    tables.add_argument(
        "--min-confidence",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help=f"append {DOUBTFUL!r} to numbers with a lower confidence (0 to 1)",
    )
    options = parser.parse_args(arguments)
    if options.cluster:
        return _cluster_options(parser, options)
    if options.format == "parquet":
        parser.error("--format parquet needs --cluster")
    if options.table and options.format:
        parser.error("--table always writes CSV, so leave out --format")
    if not options.table and (options.output or options.min_confidence):
        parser.error("--output and --min-confidence need --table")
    options.format = options.format or "text"
    return options


def _cluster_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    options.format = options.format or "parquet"
    if options.format not in ("parquet", "csv"):
        parser.error("--cluster can only write --format parquet or csv")
    if not options.output:
        parser.error("--cluster needs --output: s3://..., or a folder that all its machines share")
    if options.min_confidence and not options.table:
        parser.error("--min-confidence needs --table")
    if str(_STDIN) in options.files:
        parser.error("--cluster reads files, folders, archives and s3://..., but not standard input")
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return share


def _writer(options: argparse.Namespace, files: int, bar: Bar) -> Writer:
    if not options.table:
        return WRITERS[options.format](sys.stdout)

    def say(sentence: str) -> None:
        bar.clear()
        print(sentence, file=sys.stderr)

    if files == 1 and options.output is None:
        return TableStream(sys.stdout, say, options.min_confidence)
    return TableFiles(Path(options.output or ""), say, options.min_confidence)


def _pictures(path: Path, skipped: Counter[str]) -> Iterator[Picture]:
    """A file itself, or all pictures in a folder and its subfolders, sorted by name.

    `skipped` counts the folder's other files by extension. It does not count hidden files and files in hidden
    folders, because nobody expects these to be read.
    """
    if not path.is_dir():
        yield Picture(path, Path(path.name))
        return
    for file in sorted(path.rglob("*")):
        name, kind = file.relative_to(path), file.suffix.lower()
        if not file.is_file():
            continue
        if is_picture(file.name):
            yield Picture(file, name)
        elif not any(part.startswith(".") for part in name.parts):
            skipped[kind] += 1


def _skipped(kinds: Counter[str]) -> str:
    """The message about skipped files, with the most frequent extensions first."""
    count = kinds.total()
    named = ", ".join(
        f"{number} {kind or 'without an extension'}"
        for kind, number in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    )
    what = "1 file that is not a picture" if count == 1 else f"{count} files that are not pictures"
    return f"Skipped {what}: {named}."


def _read(reader: Reader, picture: Picture) -> Row:
    path, name = picture
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()) if path == _STDIN else path) as image:
            return Row(path, reader.read(image), None, name)
    except Exception as error:  # for a damaged file, Pillow's decoders raise exceptions of any type
        return Row(path, None, why_unread(error))


if __name__ == "__main__":
    sys.exit(main())
