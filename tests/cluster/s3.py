"""An S3 server on loopback (moto's), and a bucket of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from pyarrow import fs

from tests.ports import free_port

NAME = "scans"
_START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Bucket:
    """An empty bucket called `scans`, and the environment variables with which programs find it."""

    variables: dict[str, str]
    system: Any

    def upload(self, folder: Path, to: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{NAME}/{to}/{path.relative_to(folder).as_posix()}"
                # Not compressed, because a .gz file is compressed already.
                with self.system.open_output_stream(key, compression=None) as stream:
                    stream.write(path.read_bytes())

    def download(self, prefix: str, folder: Path) -> None:
        """The files right below a prefix."""
        folder.mkdir()
        for info in self.system.get_file_info(fs.FileSelector(f"{NAME}/{prefix}")):
            if info.type == fs.FileType.File:
                with self.system.open_input_stream(info.path, compression=None) as stream:
                    (folder / info.base_name).write_bytes(stream.read())


@contextmanager
def serving(folder: Path) -> Iterator[Bucket]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        _wait(endpoint, server)
        secret = {"access_key": "testing", "secret_key": "testing"}
        system = fs.S3FileSystem(
            endpoint_override=endpoint.removeprefix("http://"),
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
            **secret,
        )
        system.create_dir(NAME)
        variables = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"}
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        yield Bucket(variables | keys, system)
    finally:
        server.kill()
        server.wait()


def _wait(endpoint: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urlopen(f"{endpoint}/moto-api/", timeout=5).close()
        except (URLError, ConnectionError, TimeoutError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
