"""A team's MLflow server, asked before the work begins: what is wrong with it is said at once."""

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
"""For the first request; later ones are tried again for minutes, so that a training outlives a restart."""

NO_USER = "it asks for a user's name and password: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
REASONS = {  # by MLflow's names of errors
    "UNAUTHENTICATED": NO_USER,
    "CUSTOMER_UNAUTHORIZED": NO_USER,
    "PERMISSION_DENIED": "it refuses: is this name of its host among the server's MLFLOW_HOSTS?",
    "ENDPOINT_NOT_FOUND": "what answers there is no MLflow server",
}
SETTING = "MLFLOW_TRACKING_URI, in the environment or in .env, says where it is"


def own() -> str:
    """The address of the project's own store."""
    return f"sqlite:///{database()}"


def is_elsewhere() -> bool:
    """Whether runs go elsewhere; MLflow itself sets the variable that says so, to whatever it has opened."""
    return tracking_uri() not in ("", own())


def is_server(uri: str) -> bool:
    """Whether an address is that of a server, and not of a database or folder."""
    return uri.startswith(("http://", "https://"))


def require(uri: str) -> None:
    """Raise `StoreError` where MLflow's server does not answer, or not to this user: within seconds.

    A database or folder in its place is not asked: MLflow opens it, or says what is wrong with it, at once.
    """
    if "://" in uri and not is_server(uri):
        return
    with _impatient():
        try:
            if not is_server(uri):
                raise MlflowException("the address of a server begins with http:// or https://")
            MlflowClient(uri, uri).search_experiments(max_results=1)
        except MlflowException as error:
            raise StoreError(f"MLflow's server {uri} cannot be used: {_reason(error)}. {SETTING}.") from error


def checkout() -> str:
    """A word for this checkout alone: host names are not, and a server knows many machines."""
    path = store() / ".checkout"
    if not path.exists():
        write_text(path, uuid.uuid4().hex[:12])
    return path.read_text(encoding="utf-8")


def _reason(error: MlflowException) -> str:
    if error.error_code in REASONS:
        return REASONS[error.error_code]
    text = str(error)
    for told, reason in (
        ("NameResolutionError", "there is no machine of this name"),
        ("Connection refused", "nothing listens there"),
        ("timed out", "it does not answer"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not known here (MLFLOW_TRACKING_SERVER_CERT_PATH)"),
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
