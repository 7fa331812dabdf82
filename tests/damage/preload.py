"""Modules that the registry's commands import, some of them late, for forked processes."""

import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  # loaded for the processes
from sqlalchemy.orm import configure_mappers

import pipeline.follow
import pipeline.promote
import pipeline.rollback  # noqa: F401  # loaded for the processes

configure_mappers()
