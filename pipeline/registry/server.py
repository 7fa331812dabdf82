"""Check a team's MLflow server before work begins, so that problems are reported immediately."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.project.env_file import tracking_uri
from pipeline.project.errors import StoreError
from pipeline.project.files import write_text
from pipeline.project.paths import database, store

IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""Settings for the first request, which should fail quickly. Later requests are retried for minutes, so that
a training survives a restart of the server."""

NO_USER = "it requires a user and password (MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD)"
REASONS = {  # by MLflow's names of errors
    "UNAUTHENTICATED": NO_USER,
    "CUSTOMER_UNAUTHORIZED": NO_USER,
    "PERMISSION_DENIED": "it denies access; check that its MLFLOW_HOSTS includes this host name",
    "ENDPOINT_NOT_FOUND": "it is not an MLflow server",
}
SETTING = "Set its address as MLFLOW_TRACKING_URI in the environment or in .env"


def own() -> str:
    """Return the address of the project's own store."""
    return f"sqlite:///{database()}"


def is_elsewhere() -> bool:
    """Whether runs are logged to a store other than the project's own.

    MLflow itself sets MLFLOW_TRACKING_URI to the store that it has opened, so the variable may contain the
    address of the project's own store.
    """
    return tracking_uri() not in ("", own())


def is_server(uri: str) -> bool:
    """Whether an address is that of a server and not of a database or folder."""
    return uri.startswith(("http://", "https://"))


def require(uri: str) -> None:
    """Raise `StoreError` within seconds if MLflow's server does not respond or rejects this user.

    Databases are not checked, because MLflow reports their problems immediately.
    """
    if "://" in uri and not is_server(uri):
        return
    with _impatient():
        try:
            if not is_server(uri):
                raise MlflowException("a server's address must begin with http:// or https://")
            MlflowClient(uri, uri).search_experiments(max_results=1)
        except MlflowException as error:
            raise StoreError(f"MLflow's server {uri} cannot be used: {_reason(error)}. {SETTING}.") from error


def checkout() -> str:
    """Return a unique id of this checkout, because several clients of a server may share a host name."""
    path = store() / ".checkout"
    if not path.exists():
        write_text(path, uuid.uuid4().hex[:12])
    return path.read_text(encoding="utf-8")


def _reason(error: MlflowException) -> str:
    if error.error_code in REASONS:
        return REASONS[error.error_code]
    text = str(error)
    for told, reason in (
        ("NameResolutionError", "its host name is unknown"),
        ("Connection refused", "the connection is refused"),
        ("timed out", "it does not respond"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted (MLFLOW_TRACKING_SERVER_CERT_PATH)"),
    ):
        if told in text:
            return reason
    return (text.splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def _impatient() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in IMPATIENT}
    os.environ.update(IMPATIENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
