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

if TYPE_CHECKING:  # it takes a second: see `_run`
    from digits.reader import Reader

_STDIN = Path("-")
_STATUS = f"""
Exit status: 0 if all files were read; 1 if some could not be, if there were none, or if nobody reads the
output any more; 2 without a model, or with options that do not go together; {INTERRUPTED} after Ctrl-C.
"""


class Picture(NamedTuple):
    """A file, and its name below the folder that was named."""

    path: Path
    name: Path


def main(arguments: list[str] | None = None) -> int:
    """Read all files; gives the exit status (`--help` lists them)."""
    return without_traceback(lambda: _run(_options(arguments)))


def _run(options: argparse.Namespace) -> int:
    if options.cluster:
        return _read_on_cluster(options)
    with ended_by_ctrl_c():
        from digits.reader import Reader, champion_or_default  # only here: `--help` need not wait for it

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
        print("No pictures there: name files, or folders that hold some.", file=sys.stderr)
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
    """A file itself; of a folder, all pictures in it and below, by name. Counts the kinds of its other files.

    Those that are hidden, or in a hidden folder, count for nothing: nobody has put them there to be read.
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
    """The sentence on files that were left out, the most frequent kinds first."""
    count = kinds.total()
    named = ", ".join(
        f"{number} {kind or 'without an ending'}"
        for kind, number in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    )
    what = "1 file that is not a picture" if count == 1 else f"{count} files that are not pictures"
    return f"Skipped {what} it can read: {named}."


def _read(reader: Reader, picture: Picture) -> Row:
    path, name = picture
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()) if path == _STDIN else path) as image:
            return Row(path, reader.read(image), None, name)
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        return Row(path, None, why_unread(error))


if __name__ == "__main__":
    sys.exit(main())
