"""A team's servers, which are started once for all tests of this folder, and checkouts that use them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipeline.conftest import make_candidate, registered  # noqa: F401 (fixtures)
from tests.team.servers import (
    BUCKET,
    DATABASE_PASSWORD,
    KEYS,
    Team,
    mlflow_server,
    postgres_programs,
    postgresql,
    s3,
)


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a PostgreSQL server; skipped with a message if Debian's package is not installed."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("NO POSTGRESQL: /usr/lib/postgresql has none (Debian: apt-get install postgresql)")
    with postgresql(programs) as address:
        yield address


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture(scope="session")
def server_settings(s3_address: str) -> dict[str, str]:
    """The environment of the server: its artifact destination and both passwords."""
    return {
        "PGPASSWORD": DATABASE_PASSWORD,
        "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/mlflow",
        "AWS_ENDPOINT_URL": s3_address,
        **KEYS,
    }


@pytest.fixture(scope="session")
def team(
    database: str, s3_address: str, server_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server(folder, database, server_settings) as address:
        yield Team(address, s3_address, database)


@pytest.fixture
def make_checkout(tmp_path: Path, team: Team) -> Callable[[str], Path]:
    """An empty project whose `.env` names the team's servers."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        (folder / "mlruns").mkdir(parents=True)
        (folder / ".env").write_text(team.env_file(), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def project(make_checkout: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout that is the current folder of the test."""
    folder = make_checkout("mine")
    monkeypatch.setenv("DVC_ROOT", str(folder))
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    return folder
