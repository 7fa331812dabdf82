"""What a running service says of its traffic: `GET /traffic`."""

from __future__ import annotations

from typing import Annotated

import httpx
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.project.errors import TrafficError
from traffic.counts import Counts
from traffic.slots import Reference, Slot
from traffic.windows import Windows

SECONDS = 20.0  # a service of many workers has many files to read
_WAY_OUT = "`make run` starts one; SERVICE_URL names another"
_OTHER_VERSION = "The service is of another version of the project, and counts otherwise: use one for both."


@dataclass(frozen=True, slots=True)
class Told:
    """The model in service, its reference (None: it came without one), and counts by the hour."""

    model: str
    sha256: str
    reference: Reference | None
    slots: Annotated[list[Slot], Field(max_length=10_000)]

    def windows(self, hours: int) -> Windows:
        """The last hours and those before; raises `TrafficError` for a service of another version."""
        try:
            return Windows.of(self.slots, self.sha256, hours)
        except ValueError as error:
            raise TrafficError(_OTHER_VERSION) from error

    def counts(self) -> Counts | None:
        """Those of the reference, None without one; raises `TrafficError` as above."""
        try:
            return Counts.of(self.reference.counts) if self.reference else None
        except ValueError as error:
            raise TrafficError(_OTHER_VERSION) from error


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
        raise TrafficError(_OTHER_VERSION) from error
