"""A client of the recognition service for Python programs, with typed answers and errors.

ServiceError          any error; its text is a sentence that says what to do
├── ServiceAway       no response at the address, or one by another server
├── ServiceSlow       no response in time
└── ServiceBusy       the service is overloaded; retry after `retry_after` seconds
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from ui.text import SERVICE

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the picture."""


class ServiceError(Exception):
    """An error of the service or of the connection to it.

    `code` is machine-readable; `status` is the HTTP status, 0 if there was no response of the service.
    """

    def __init__(self, sentence: str, code: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status


class ServiceAway(ServiceError):
    """No response at the service's address, or one by another server."""


class ServiceSlow(ServiceError):
    """No response in time."""


class ServiceBusy(ServiceError):
    """The service is overloaded (429 or 503); retry after `retry_after` seconds."""

    def __init__(self, sentence: str, code: str, status: int, retry_after: float) -> None:
        super().__init__(sentence, code, status)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of a picture, with its bounding box in pixels.

    It is a digit with its confidence, a sign (`-`, `.` or `,`), or rejected, with the reason in `rejected`.
    """

    digit: int | None
    confidence: float | None
    probabilities: tuple[float, ...]
    rejected: str | None
    box: Box
    sign: str | None = None

    @property
    def text(self) -> str:
        """The character for this mark: `?` if it is neither a digit nor a sign."""
        if self.sign is not None:
            return self.sign
        return "?" if self.digit is None else str(self.digit)


@dataclass(frozen=True, slots=True)
class Number:
    """Marks that form a number; `marks` are indices into the reading's `digits`.

    `confidence` is None if a mark is rejected; `row` and `column` are None if there is no table.
    `printed`: the number is clearly typeset, such as the row numbers of a form.
    """

    text: str
    confidence: float | None
    box: Box
    marks: tuple[int, ...]
    row: int | None = None
    column: int | None = None
    printed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """All marks in reading order, and the numbers that they form; `text` is "" for a blank picture.

    `text` has `?` for a rejected mark, a space between two numbers of a line and a newline between lines.
    """

    text: str
    numbers: tuple[Number, ...]
    digits: tuple[Mark, ...]
    model: str


class Service:
    """A connection to the service at `url`. Thread-safe."""

    def __init__(self, url: str, key: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers=key_header(key),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            transport=transport,
            trust_env=False,  # ignore proxies for the internet
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The object must not be used afterwards."""
        self._http.close()

    def read(self, picture: bytes) -> Reading:
        """Read every digit of a picture (the bytes of a PNG, JPEG, ...); raises `ServiceError`."""
        answer = self._ask(picture)
        try:
            numbers, digits = map(_number, answer["numbers"]), map(_mark, answer["digits"])
            return Reading(answer["text"], tuple(numbers), tuple(digits), answer["model"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._strange() from error

    def _ask(self, picture: bytes) -> Any:
        try:
            answer = self._http.post("/read", files={"image": ("drawing.png", picture, "image/png")})
        except httpx.TimeoutException as error:
            sentence = SERVICE["slow"].format(seconds=round(ANSWER_SECONDS))
            raise ServiceSlow(sentence, "service_slow") from error
        except httpx.HTTPError as error:
            raise ServiceAway(SERVICE["away"].format(url=self.url), "service_away") from error
        try:
            content = answer.json()
        except ValueError as error:
            raise self._strange() from error
        if answer.is_success:
            return content
        raise self._refusal(answer, content)

    def _refusal(self, answer: httpx.Response, content: Any) -> ServiceError:
        if not isinstance(content, dict) or not isinstance(content.get("error"), str):
            return self._strange()
        sentence, code = content["error"], str(content.get("code", "refused"))
        if answer.status_code in (429, 503):
            return ServiceBusy(
                sentence, code, answer.status_code, _seconds(answer.headers.get("Retry-After"))
            )
        return ServiceError(sentence, code, answer.status_code)

    def _strange(self) -> ServiceAway:
        return ServiceAway(SERVICE["strange"].format(url=self.url), "service_strange")


def service_url() -> str:
    """The address of the service: SERVICE_URL, or else this machine at SERVICE_PORT (3000)."""
    port = os.environ.get("SERVICE_PORT") or "3000"
    return os.environ.get("SERVICE_URL") or f"http://127.0.0.1:{port}"


def key_header(key: str) -> dict[str, str]:
    """The header with the service's API key; empty if there is no key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def _mark(entry: dict[str, Any]) -> Mark:
    return Mark(
        entry["digit"],
        entry["confidence"],
        tuple(entry["probabilities"]),
        entry["rejected"],
        _box(entry),
        entry["sign"],
    )


def _number(entry: dict[str, Any]) -> Number:
    return Number(
        entry["text"],
        entry["confidence"],
        _box(entry),
        tuple(entry["marks"]),
        entry["row"],
        entry["column"],
        entry["printed"],
    )


def _box(entry: dict[str, Any]) -> Box:
    left, top, right, bottom = entry["box"]
    return left, top, right, bottom


def _seconds(header: str | None) -> float:
    """Retry-After in seconds; 1 if it is missing or a date, which our service never sends."""
    try:
        return max(0.0, float(header or 1))
    except ValueError:
        return 1.0
