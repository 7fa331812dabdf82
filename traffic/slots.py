"""Counts by the hour, and the reference that they are compared with, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from traffic.counts import Histograms

HOUR = 3600  # seconds
KEPT_HOURS = 7 * 24
"""So long counts are kept."""
REFERENCE = "drift.json"
"""The reference's file, in a model folder beside the manifest."""

_Count = Annotated[int, Field(ge=0)]
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_CHECKED = ConfigDict(strict=True)


@dataclass(frozen=True, slots=True, config=_CHECKED)
class Slot:
    """What one model was asked to read in one hour, which began `start` seconds after 1970 (UTC)."""

    start: _Count
    model: Annotated[str, Field(max_length=64, description="SHA-256 of the model's file.")]
    counts: dict[str, dict[str, list[_Count]]]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True, config=_CHECKED)
class Reference:
    """What a model was measured on: validation digits as people draw them.

    `model` is the SHA-256 of the model's file. `critical[f - 1][t - 1]` is the chi-squared value of f degrees
    of freedom that chance exceeds with a probability of `level` / t: for a service, which has no scipy.
    """

    model: _Sha256
    counts: Histograms
    level: Annotated[float, Field(gt=0, lt=1)]
    critical: list[list[float]]
    format: Literal[1] = 1


SLOT = TypeAdapter(Slot)
REFERENCE_JSON = TypeAdapter(Reference)
