"""The parameters of `params.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.project.paths import PARAMS


def read_params(section: str, path: Path = PARAMS) -> dict[str, Any]:
    """Return one section of `params.yaml`. Pass it on as keyword arguments, so that a misspelt key fails."""
    values: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return dict(values[section])


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values to dotted names, so that {"a": {"b": 1}} becomes {"a.b": 1}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found
