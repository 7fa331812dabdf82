"""Stage `fetch`: MNIST's four files into data/raw, from the first source that has them."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.mnist.sources import files_of
from pipeline.project.errors import FetchError, SourceError
from pipeline.project.files import write_bytes
from pipeline.project.paths import RAW
from pipeline.project.runner import main

GZIP_MAGIC = b"\x1f\x8b"
FOLDER_VARIABLE = "MNIST_DIR"


def fetch(sources: Sequence[str], sha256: Mapping[str, str], folder: Path, answer_seconds: float) -> None:
    """Fill `folder` with the files that `sha256` names, their unpacked content checked against it.

    `folder` changes only when every file is there and right; otherwise `FetchError` says of each source
    why it gave nothing.
    """
    if all(_is_right(folder / name, wanted) for name, wanted in sha256.items()):
        print(f"fetch: {folder} has the right files already", flush=True)
        return
    files = _gather(sources, sha256, answer_seconds)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            write_bytes(folder / name, content)
    except OSError as error:
        raise FetchError(f"{folder} cannot be written ({error}).") from error
    print(f"fetch: {len(files)} files, checked, are in {folder}", flush=True)


def _gather(sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> dict[str, bytes]:
    """The files' unpacked content, together 55 MB; each source in turn is asked for what is still missing."""
    files: dict[str, bytes] = {}
    reasons = ""
    for number, source in enumerate(sources, 1):
        missing = [name for name in sha256 if name not in files]
        print(f"fetch: {len(missing)} files from {source}", flush=True)
        try:
            for name, content in files_of(source, missing, answer_seconds):
                files[name] = _checked(name, content, sha256[name])
            return files
        except SourceError as error:
            reasons += f"\n  {number}. {source}: {error}"
            print(f"fetch: not from there: {error}", flush=True)
    raise FetchError(
        f"no source gave the digits.{reasons or ' params.yaml names none.'}\n"
        f"Bring these files, gzipped or not, from another machine and set {FOLDER_VARIABLE} to their folder:"
        f" {', '.join(sha256)}.\n"
        f"Or go online and run this again without {FOLDER_VARIABLE}: where it is set, it is the only source."
    )


def _checked(name: str, content: bytes, wanted: str) -> bytes:
    """The content, unpacked where it is gzipped; raises `SourceError` unless its SHA-256 is `wanted`."""
    try:
        unpacked = gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"its {name} is damaged or cut off ({error})") from error
    digest = hashlib.sha256(unpacked).hexdigest()
    if digest != wanted:
        raise SourceError(f"its {name} is another file: SHA-256 {digest}")
    return unpacked


def _is_right(path: Path, wanted: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted


def run(sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> None:
    """Fill data/raw from the folder that MNIST_DIR names, or else from the `sources` of params.yaml."""
    given = os.environ.get(FOLDER_VARIABLE)
    fetch([given] if given else sources, sha256, RAW, answer_seconds)


if __name__ == "__main__":
    sys.exit(main("fetch", run))
