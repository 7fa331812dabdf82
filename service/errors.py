"""Every refusal of the service, and the one shape in which a client sees it.

Refusal (status, code, message)
├── BadImage        400  broken_image: bytes that do not decode
├── BadForm         400  broken_form: a body that is no whole multipart form
├── Unauthorized    401  unauthorized
├── NotFound        404  not_found
├── WrongMethod     405  wrong_method, with Allow
├── TooSlow         408  too_slow: a body that does not arrive
├── TooLarge        413  too_large in bytes, or too_many_pixels
├── WrongKind       415  wrong_kind: a recognised kind of file that is not taken
├── WrongField      422  wrong_field: a field missing, repeated or of another kind
└── Busy            503  busy, no_model or stopping, with Retry-After
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response


class Problem(BaseModel):
    """What every refusal looks like."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    error: str = Field(description="A sentence that says what is wrong and what to do.")
    code: str = Field(description="One word for programs.", pattern="^[a-z_]+$")

    @classmethod
    def of(cls, refusal: Refusal) -> Problem:
        return cls(error=str(refusal), code=refusal.code)


class Refusal(Exception):
    """A request that is not served; the message is one sentence that says what to do."""

    def __init__(
        self, message: str, status: HTTPStatus, code: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


class BadImage(Refusal):
    """Bytes that do not decode."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.BAD_REQUEST, "broken_image")


class BadForm(Refusal):
    """A body that is no whole multipart form."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.BAD_REQUEST, "broken_form")


class Unauthorized(Refusal):
    """No API key, or a wrong one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.UNAUTHORIZED, "unauthorized", {"WWW-Authenticate": "Bearer"})


class NotFound(Refusal):
    """An unknown path."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.NOT_FOUND, "not_found")


class WrongMethod(Refusal):
    """A method that a path does not take; `allowed` lists the others."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message, HTTPStatus.METHOD_NOT_ALLOWED, "wrong_method", {"Allow": allowed})


class TooSlow(Refusal):
    """A body that does not arrive in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.REQUEST_TIMEOUT, "too_slow", {"Connection": "close"})


class TooLarge(Refusal):
    """Too many bytes, pixels or parts."""

    def __init__(self, message: str, code: str = "too_large") -> None:
        super().__init__(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code)


class WrongKind(Refusal):
    """A recognised kind of file that is not taken."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "wrong_kind")


class WrongField(Refusal):
    """A field that is missing, repeated or of another kind."""

    def __init__(self, message: str) -> None:
        super().__init__(message, HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_field")


class Busy(Refusal):
    """Not now: too much to do, no model yet, or stopping."""

    def __init__(self, message: str, code: str = "busy") -> None:
        super().__init__(message, HTTPStatus.SERVICE_UNAVAILABLE, code, {"Retry-After": "1"})


def problem(error: Refusal) -> Response:
    """A refusal as the response that a client sees."""
    return _response(Problem.of(error), error.status, error.headers)


def unexpected() -> Response:
    """What a client sees of a fault of ours: no trace, no path, no version."""
    sentence = "Something went wrong here, and the log has the details: try again."
    return _response(Problem(error=sentence, code="internal"), HTTPStatus.INTERNAL_SERVER_ERROR)


def _response(body: Problem, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return Response(body.model_dump_json(), status, headers, "application/json")
