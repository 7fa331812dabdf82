"""Stage `fetch`: MNIST's four files into data/raw, from the first source that has them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeline.mnist.sources import take
from pipeline.project.errors import FetchError, SourceError
from pipeline.project.paths import RAW
from pipeline.project.runner import run_stage

GZIP_MAGIC = b"\x1f\x8b"
FOLDER_VARIABLE = "MNIST_DIR"


def fetch(sources: Sequence[str], sha256: Mapping[str, str], folder: Path, answer_seconds: float) -> None:
    """Fill `folder` with the files that `sha256` names, their content checked against it.

    Each source in turn is asked for what is still missing. `folder` changes only when every file is there
    and right; otherwise `FetchError` says of each source why it gave nothing.
    """
    if all(_is_right(folder / name, wanted) for name, wanted in sha256.items()):
        print(f"fetch: {folder} has the right files already", flush=True)
        return
    part = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)  # what a killed fetch left
        part.mkdir(parents=True)
        _fill(part, sources, sha256, answer_seconds)
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
        print(f"fetch: {len(sha256)} files, checked, are in {folder}", flush=True)
    except OSError as error:
        raise FetchError(f"{folder} cannot be written ({error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(part: Path, sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> None:
    reasons = []
    for source in sources:
        missing = [name for name in sha256 if not (part / name).exists()]
        print(f"fetch: {len(missing)} files from {source}", flush=True)
        try:
            take(source, missing, partial(_store, part, sha256), answer_seconds)
            return
        except SourceError as error:
            reasons.append(f"{source}: {error}")
            print(f"fetch: not from there: {error}", flush=True)
    raise FetchError(_advice(reasons, sha256))


def _advice(reasons: Sequence[str], names: Iterable[str]) -> str:
    tried = "".join(f"\n  {number}. {reason}" for number, reason in enumerate(reasons, 1))
    return (
        f"no source gave the digits.{tried or ' params.yaml names none.'}\n"
        f"Go online and run this again; or bring these files, gzipped or not, from another machine and set"
        f" {FOLDER_VARIABLE} to their folder: {', '.join(names)}."
    )


def _store(part: Path, sha256: Mapping[str, str], name: str, pieces: Iterable[bytes]) -> None:
    """Write one file into `part`: unpacked, checked, and whole or not at all under its name."""
    incoming = part / f"{name}.incoming"
    digest = hashlib.sha256()
    try:
        with incoming.open("wb") as file:
            for piece in _unpacked(pieces):
                file.write(piece)
                digest.update(piece)
    except (zlib.error, EOFError) as error:
        raise SourceError(f"its {name} is damaged or cut off ({error})") from error
    if digest.hexdigest() != sha256[name]:
        raise SourceError(f"its {name} is another file: SHA-256 {digest.hexdigest()}")
    incoming.replace(part / name)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as they are, or unpacked where they begin as gzip does."""
    unpacker = None
    for number, piece in enumerate(pieces):
        if number == 0 and piece.startswith(GZIP_MAGIC):
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        yield unpacker.decompress(piece) if unpacker else piece
    if unpacker and not unpacker.eof:
        raise EOFError("gzip data ends early")


def _is_right(path: Path, wanted: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted


def run(sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> None:
    """Fill data/raw; a folder that MNIST_DIR names goes before the `sources` of params.yaml."""
    given = os.environ.get(FOLDER_VARIABLE)
    fetch([given, *sources] if given else sources, sha256, RAW, answer_seconds)


if __name__ == "__main__":
    sys.exit(run_stage("fetch", run))
