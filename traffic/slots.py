"""The JSON of hourly counts, and of the reference that they are compared with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from traffic.counts import Histograms

HOUR = 3600  # seconds
KEPT_HOURS = 7 * 24
"""Older counts are deleted."""
REFERENCE = "drift.json"
"""The name of the reference's file in a model folder, next to the manifest."""

_Count = Annotated[int, Field(ge=0)]
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_CHECKED = ConfigDict(strict=True)


@dataclass(frozen=True, slots=True, config=_CHECKED)
class Slot:
    """Counts of what one model read in one hour, which began `start` seconds after 1970 (UTC)."""

    start: _Count
    model: Annotated[str, Field(max_length=64, description="SHA-256 of the model's file.")]
    counts: dict[str, dict[str, list[_Count]]]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True, config=_CHECKED)
class Reference:
    """Counts of the pictures that a model was measured on: validation digits drawn as people draw them.

    `model` is the SHA-256 of the model's file. `critical[f - 1][t - 1]` is the critical value of the
    chi-squared distribution with f degrees of freedom at the significance level `level` / t. It is stored
    because scipy is not installed where the service runs.
    """

    model: _Sha256
    counts: Histograms
    level: Annotated[float, Field(gt=0, lt=1)]
    critical: list[list[float]]
    format: Literal[1] = 1


SLOT = TypeAdapter(Slot)
REFERENCE_JSON = TypeAdapter(Reference)
