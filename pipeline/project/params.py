"""The parameters of `params.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.project.paths import PARAMS


def read_params(section: str, path: Path = PARAMS) -> dict[str, Any]:
    """One section of `params.yaml`, to be passed on as keywords: a misspelt key then fails."""
    values: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return dict(values[section])


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values with dotted names: {"a": {"b": 1}} becomes {"a.b": 1}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found
