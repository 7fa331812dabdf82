"""Stage `fetch`: download MNIST's four files to data/raw from the first source that has them."""

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
    """Fill `folder` with the files named in `sha256`, after checking their unpacked content against it.

    `folder` changes only when all files are complete and correct. Otherwise raises `FetchError`, which gives
    the reason why each source failed.
    """
    if all(_is_right(folder / name, wanted) for name, wanted in sha256.items()):
        print(f"fetch: the files in {folder} are up to date", flush=True)
        return
    files = _gather(sources, sha256, answer_seconds)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            write_bytes(folder / name, content)
    except OSError as error:
        raise FetchError(f"{folder} cannot be written ({error}).") from error
    print(f"fetch: {len(files)} files checked and saved in {folder}", flush=True)


def _gather(sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> dict[str, bytes]:
    """Return the files' unpacked content, 55 MB in total, asking each source in turn for missing files."""
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
            print(f"fetch: this source failed: {error}", flush=True)
    raise FetchError(
        f"no source could provide the digits.{reasons or ' params.yaml lists no sources.'}\n"
        f"Copy these files, gzipped or not, from another machine and set {FOLDER_VARIABLE} to their folder:"
        f" {', '.join(sha256)}.\n"
        f"Or go online and run this again without {FOLDER_VARIABLE}; if it is set, it is the only source."
    )


def _checked(name: str, content: bytes, wanted: str) -> bytes:
    """Return the content, unpacked if it is gzipped; raises `SourceError` unless its SHA-256 is `wanted`."""
    try:
        unpacked = gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"its {name} is damaged or truncated ({error})") from error
    digest = hashlib.sha256(unpacked).hexdigest()
    if digest != wanted:
        raise SourceError(f"its {name} is a different file (SHA-256 {digest})")
    return unpacked


def _is_right(path: Path, wanted: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted


def run(sources: Sequence[str], sha256: Mapping[str, str], answer_seconds: float) -> None:
    """Fill data/raw from the folder named by MNIST_DIR if it is set, otherwise from `sources`."""
    given = os.environ.get(FOLDER_VARIABLE)
    fetch([given] if given else sources, sha256, RAW, answer_seconds)


if __name__ == "__main__":
    sys.exit(main("fetch", run))
