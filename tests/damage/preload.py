"""What the registry's commands import, and MLflow only when it opens a database: for processes that are forked."""

import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from sqlalchemy.orm import configure_mappers

import pipeline.follow
import pipeline.promote
import pipeline.rollback  # noqa: F401

configure_mappers()
