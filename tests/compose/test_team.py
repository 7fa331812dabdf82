"""`docker compose --profile team`: MLflow over PostgreSQL and S3, by what .env says alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.compose.conftest import missing
from tests.compose.stack import Stack, copy_of_project, gateway, wait_until
from tests.team.servers import BUCKET, KEYS, s3

pytestmark = pytest.mark.heavy  # it builds an image of its own and trains

PASSWORD = "0123456789abcdef"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Database, MLflow's server and follower of a team, as docs/team.md sets them up."""
    if said := missing():
        pytest.skip(said)
    folder = tmp_path_factory.mktemp("compose") / "team"
    copy_of_project(folder)
    stack = Stack(folder, "team")
    settings = {
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "FOLLOWER_NETWORK": f"{stack.name}_default",
        "DATABASE_PASSWORD": PASSWORD,
        "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://digits@database/digits",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/mlflow",
        **KEYS,
    }
    try:
        write_env(folder, settings)
        stack.compose("--profile", "team", "build", "database", "pipeline", "folders", seconds=1500)
        with s3(tmp_path_factory.mktemp("s3"), gateway()) as endpoint:
            write_env(folder, settings | {"AWS_ENDPOINT_URL": endpoint})
            stack.compose("--profile", "team", "up", "-d", "database", "mlflow", "follower", seconds=300)
            wait_until(lambda: health(stack) == {"healthy"}, 120)
            yield stack
    finally:
        stack.compose("--profile", "team", "down", "--volumes", "--remove-orphans")
    assert not any(stack.left().values()), stack.left()


def write_env(folder: Path, settings: dict[str, str]) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def health(stack: Stack) -> set[str]:
    return {
        one["State"]["Health"]["Status"] for name in ("database", "mlflow") for one in stack.containers(name)
    }


def version(stack: Stack) -> str:
    """The champion as MLflow's server tells it."""
    address = f"{stack.mlflow}/api/2.0/mlflow/registered-models/alias"
    query = {"name": "digits", "alias": "champion"}
    told = httpx.get(address, params=query, timeout=10, trust_env=False).raise_for_status().json()
    return str(told["model_version"]["version"])


def test_a_training_goes_to_postgresql_and_s3_and_its_champion_comes_back(team: Stack) -> None:
    team.compose("--profile", "team", "run", "--rm", "pipeline", seconds=900)
    assert version(team) == "1"
    manifest = team.folder / "models" / "champion" / "manifest.json"
    wait_until(manifest.exists, 30)
    assert json.loads(manifest.read_text())["version"] == "1"
    assert not (team.folder / "mlruns" / "mlflow.db").exists()
    assert not (team.folder / "mlruns" / "artifacts").exists()
    asked = "select count(*) from registered_models"
    counted = team.compose(
        *("--profile", "team", "exec", "-T", "--env", f"PGPASSWORD={PASSWORD}", "database"),
        *("psql", "-h", "127.0.0.1", "-U", "digits", "-Atc", asked, "digits"),
    )
    assert counted.strip() == "1"


def test_what_the_team_has_outlives_its_containers_and_a_new_password(team: Stack) -> None:
    team.compose("--profile", "team", "down")
    env = team.folder / ".env"
    env.write_text(env.read_text().replace(PASSWORD, PASSWORD[::-1]))
    team.compose("--profile", "team", "up", "-d", "database", "mlflow", seconds=300)
    wait_until(lambda: health(team) == {"healthy"}, 120)
    assert version(team) == "1"


def test_only_the_server_reaches_the_database(team: Stack) -> None:
    (database,) = team.containers("database")
    assert [*database["NetworkSettings"]["Networks"]] == [f"{team.name}_store"]
    assert not database["HostConfig"]["PortBindings"]
    assert database["HostConfig"]["ReadonlyRootfs"]
    assert database["Config"]["User"] == "1000:1000"
