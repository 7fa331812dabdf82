"""What a running service says of its traffic: `GET /traffic`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

import httpx
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.project.errors import TrafficError
from traffic.counts import Counts
from traffic.slots import HOUR, Reference, Slot

SECONDS = 20.0  # a service of many workers has many files to read
_WAY_OUT = "`make run` starts one; SERVICE_URL names another"


@dataclass(frozen=True, slots=True)
class Told:
    """The model in service, its reference (None: it came without one), and counts by the hour."""

    model: str
    sha256: str
    reference: Reference | None
    slots: Annotated[list[Slot], Field(max_length=10_000)]

    def window(self, hours: int) -> tuple[Counts, int]:
        """What the model in service was asked in the last hours, and how many pictures another was asked.

        The hour that is not over is one more. Raises `TrafficError` for a service of another version.
        """
        recent = [one for one in self.slots if one.start >= int(time.time()) // HOUR * HOUR - hours * HOUR]
        own = _together(one for one in recent if one.model == self.sha256)
        others = _together(one for one in recent if one.model != self.sha256)
        return own, others.pictures("predict") + others.pictures("read")


def ask(url: str, key: str) -> Told:
    """Ask the service at `url`, with its API key where there is one; raises `TrafficError`."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = f"{url.rstrip('/')}/traffic"
    try:
        answer = httpx.get(address, headers=headers, timeout=SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TrafficError(f"No service answers at {url} ({error}): {_WAY_OUT}.") from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise TrafficError(f"The service at {url} asks for its key: set API_KEY.")
    if not answer.is_success:
        raise TrafficError(f"{address} answers {answer.status_code}: is that a digits service? {_WAY_OUT}.")
    try:
        return TypeAdapter(Told).validate_json(answer.content)
    except ValidationError as error:
        raise _strange(url) from error


def counts_of(reference: Reference, url: str) -> Counts:
    """The reference's counts; raises `TrafficError` where they are of another version of the project."""
    try:
        return Counts.of(reference.counts)
    except ValueError as error:
        raise _strange(url) from error


def _together(slots: Iterable[Slot]) -> Counts:
    counts = Counts()
    for one in slots:
        try:
            counts.add(one.counts)
        except ValueError as error:
            raise TrafficError(
                f"The service counts otherwise ({error}): use one version for both."
            ) from error
    return counts


def _strange(url: str) -> TrafficError:
    return TrafficError(f"The service at {url} is of another version of the project: use one for both.")
