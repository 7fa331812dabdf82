"""A team's servers as real processes: PostgreSQL, S3, and MLflow with both."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from tests.ports import free_port
from tests.processes import running, wait_for_port, wait_until_healthy

BUCKET = "team"
DATABASE_PASSWORD = "of a test's database"  # with spaces: it is in no address
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def postgres_programs() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL; None if it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """Start a database cluster on loopback; yields the address of its database, without the password."""
    user = None if os.getuid() else pwd.getpwnam("postgres").pw_name  # PostgreSQL refuses root
    folder = Path(tempfile.mkdtemp(prefix="digits-postgresql-"))
    try:
        if user:
            shutil.chown(folder, user)
        password = folder / "password"
        password.write_text(DATABASE_PASSWORD, encoding="utf-8")
        data = folder / "data"
        make = ["initdb", "--username=digits", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        subprocess.run(
            [programs / make[0], *make[1:], f"--pgdata={data}"],
            check=True,
            capture_output=True,
            user=user,
            cwd="/",
        )
        port = free_port()
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        command: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port), *options]
        with running(command, folder / "log", {}, user) as process:
            wait_for_port(port, process)
            yield f"postgresql+psycopg2://digits@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """Start an S3 server with a bucket on one of this machine's addresses; yields its URL."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
    with running(command, folder / "s3.log", {}) as process:
        wait_for_port(port, process, host)
        address = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=KEYS["AWS_DEFAULT_REGION"],
        )
        client.create_bucket(Bucket=BUCKET)
        yield address


@contextmanager
def mlflow_server(folder: Path, store: str, settings: Mapping[str, str], *options: str) -> Iterator[str]:
    """Start MLflow's server for a database, with `settings` as its environment; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment = {"MLFLOW_BACKEND_STORE_URI": store, **quiet, **settings}
    log = folder / "mlflow.log"
    with running([*command, *options], log, environment) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, process, log)
        yield address


@dataclass(frozen=True)
class Team:
    """The addresses of a team's servers."""

    mlflow: str
    s3: str
    database: str

    def env_file(self) -> str:
        """Return the `.env` of a team member."""
        told = {
            "MLFLOW_TRACKING_URI": self.mlflow,
            "DVC_REMOTE_URL": f"s3://{BUCKET}/dvc",
            "AWS_ENDPOINT_URL": self.s3,
            **KEYS,
        }
        return "".join(f"{name}={value}\n" for name, value in told.items())
