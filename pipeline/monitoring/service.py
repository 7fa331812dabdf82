"""Get the traffic counts of a running service from `GET /traffic`."""

from __future__ import annotations

from typing import Annotated

import httpx
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.project.errors import TrafficError
from traffic.counts import Counts
from traffic.slots import Reference, Slot
from traffic.windows import Windows

SECONDS = 20.0  # a service with many workers has many files to read
_HINT = "Start one with `make run`, or set SERVICE_URL to the address of another"
_OTHER_VERSION = "The service is another version of the project and counts differently. Use the same version."


@dataclass(frozen=True, slots=True)
class ServiceTraffic:
    """The model in service, its reference (None if the model has none), and hourly counts."""

    model: str
    sha256: str
    reference: Reference | None
    slots: Annotated[list[Slot], Field(max_length=10_000)]

    def windows(self, hours: int) -> Windows:
        """Return the last `hours` and the days before; raises `TrafficError` if the versions differ."""
        try:
            return Windows.of(self.slots, self.sha256, hours)
        except ValueError as error:
            raise TrafficError(_OTHER_VERSION) from error

    def counts(self) -> Counts | None:
        """Return the reference counts or None; raises `TrafficError` if the versions differ."""
        try:
            return Counts.of(self.reference.counts) if self.reference else None
        except ValueError as error:
            raise TrafficError(_OTHER_VERSION) from error


def ask(url: str, key: str) -> ServiceTraffic:
    """Ask the service at `url`, with the API key unless it is empty; raises `TrafficError`."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = f"{url.rstrip('/')}/traffic"
    try:
        answer = httpx.get(address, headers=headers, timeout=SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TrafficError(f"No service responds at {url} ({error}). {_HINT}.") from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise TrafficError(f"The service at {url} requires its API key. Set API_KEY.")
    if not answer.is_success:
        raise TrafficError(f"{address} responds {answer.status_code}. Is this a digits service? {_HINT}.")
    try:
        return TypeAdapter(ServiceTraffic).validate_json(answer.content)
    except ValidationError as error:
        raise TrafficError(_OTHER_VERSION) from error
