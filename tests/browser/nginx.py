"""nginx as an ordinary process, with the configuration that docs/deployment.md recommends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "nginx.conf"
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    {server}
}}
"""


@contextmanager
def nginx(folder: Path, name: str, port: int, replaced: Mapping[str, str]) -> Iterator[None]:
    """Run nginx with the recipe on `port`, a new certificate for `name` and these replacements."""
    missing = [program for program in ("nginx", "openssl") if _program(program) is None]
    if missing:
        pytest.skip(
            f"NO {' AND NO '.join(missing).upper()}: install it (apt-get install nginx-light openssl)"
        )
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048"),
            *("-keyout", key, "-out", certificate, "-subj", f"/CN={name}"),
        ],
        check=True,
        capture_output=True,
    )
    server = RECIPE.read_text(encoding="utf-8")
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/ssl/certs/digits.pem": str(certificate),
        "/etc/ssl/private/digits.key": str(key),
        **replaced,
    }
    for old, new in changes.items():
        assert server.count(old) == 1, old
        server = server.replace(old, new)
    user = "" if os.geteuid() else "user root;"  # else its workers may not write where this test may
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, server=server, user=user), encoding="utf-8")
    process = subprocess.Popen([str(_program("nginx")), "-e", folder / "error.log", "-c", configuration])
    try:
        _wait_for(port, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _program(name: str) -> str | None:
    """The path of nginx, which Debian installs in a folder that is only in the administrator's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "nginx did not start"
        assert time.monotonic() < deadline, "nginx does not listen"
        time.sleep(0.05)
