"""`digits FOLDER --cluster`: reads all inputs and leaves a folder with one answer to each file."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import digits
from digits.cluster.answers import Counts, Shape, counts_of
from digits.cluster.ledger import Ledger, check_inputs, remove_others
from digits.cluster.model_files import ModelFiles
from digits.cluster.parts import Part, parts_of
from digits.cluster.places import Folder, is_remote
from digits.cluster.progress import Progress, say
from digits.cluster.ray_data import answered, check_address, connected
from digits.cluster.reading import file_of
from digits.cluster.sources import sources_of
from digits.errors import ClusterError, DigitsError

_COUNTING = 16  # parts whose counts are read concurrently
_SAID = 10_000  # files between two messages


@dataclass(frozen=True, slots=True)
class Order:
    """The inputs to read, the cluster (`auto`, `local` or HOST:PORT), and the folder for the answers.

    `part_files` is the largest number of pictures in one part.
    """

    inputs: Sequence[str]
    cluster: str
    output: str
    model: Path
    shape: Shape
    part_files: int


def run(order: Order) -> int:
    """Read all inputs and return the exit status.

    It is 0 if all files were read, 1 if some were not read or answers cannot be written, 2 without a model or
    a cluster, and 130 after Ctrl-C.
    """
    try:
        model = ModelFiles.of(order.model)
        check_address(order.cluster)
    except DigitsError as error:
        say(str(error))
        return 2
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore Ctrl-C
    try:
        return _run(order, model)
    except ClusterError as error:
        say(str(error))
        return 2
    except (DigitsError, OSError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted. Run the same command again to continue.")
        return 130


def _run(order: Order, model: ModelFiles) -> int:
    folder = Folder.of(order.output)
    folder.make()
    inputs = [one if is_remote(one) else str(Path(one).absolute()) for one in order.inputs]
    check_inputs(folder, inputs)
    sources = sources_of(order.inputs, _say_found)
    if not sources:
        say("No pictures were found. Name files, or folders that contain pictures.")
        return 1
    setting = {"model": model.sha256, "program": _program(), **asdict(order.shape)}
    divided = parts_of(sources, json.dumps(setting), order.part_files)
    parts = {file_of(part, order.shape): part for part in divided}
    there = _there(folder, set(parts))
    left = [part for name, part in parts.items() if name not in there]
    hidden = any(source.kind == "packed" for source in sources)
    progress = Progress(_sum(there.values()), None if hidden else len(sources))
    if left:
        Ledger(inputs, setting).write(folder)
        _read(left, model, folder, order, progress)
        if missing := set(parts).difference(folder.names()):
            raise DigitsError(
                f"{len(missing)} of {len(parts)} parts are not in {folder.place}, because other machines "
                "wrote them to folders of their own. --output must be a folder that all machines share."
            )
    remove_others(folder, set(parts))
    Ledger(inputs, setting, True, *progress.done).write(folder)
    done = progress.done
    errors = f", {done.errors:,} of them with errors (their rows say why)" if done.errors else ""
    say(f"{done.files:,} files were read{errors}: {folder.place}")
    return int(done.errors > 0)


def _read(left: Sequence[Part], model: ModelFiles, folder: Folder, order: Order, progress: Progress) -> None:
    before = progress.done.files
    if before:
        say(f"{before:,} files were answered by earlier runs.")
    with connected(order.cluster) as cores:
        say(f"Reading {len(left):,} parts on {cores} cores ...")
        progress.begin()
        for counts in answered(left, model, folder, order.shape):
            progress.add(counts)
    read = progress.done.files - before
    say(f"{read:,} files in {progress.seconds:.0f} s, {read / progress.seconds:.1f} a second.")


def _there(folder: Folder, names: set[str]) -> dict[str, Counts]:
    """The counts of the parts that are answered. Damaged parts are removed, so that they are read again."""
    found = sorted(names.intersection(folder.names()))
    with ThreadPoolExecutor(_COUNTING) as pool:
        counted = dict(zip(found, pool.map(partial(_counts, folder), found), strict=True))
    for name in (name for name, counts in counted.items() if counts is None):
        folder.remove(name)
    return {name: counts for name, counts in counted.items() if counts is not None}


def _counts(folder: Folder, name: str) -> Counts | None:
    try:
        return counts_of(folder, name)
    except Exception:  # for a file damaged by a full disk or a lost machine, pyarrow raises any exception
        return None


def _sum(counts: Iterable[Counts]) -> Counts:
    files = errors = 0
    for one in counts:
        files, errors = files + one.files, errors + one.errors
    return Counts(files, errors)


def _program() -> str:
    """A hash of the package's code, because another version may give other answers."""
    folder = Path(digits.__file__).parent
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()


def _say_found(count: int) -> None:
    if count % _SAID == 0:
        say(f"{count:,} files found", stays=False)
