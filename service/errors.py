"""All error responses of the service, and their common JSON format."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from addresses.hosts import UNKNOWN_HOST
from addresses.origins import FOREIGN_ORIGIN


class Problem(BaseModel):
    """The body of every error response."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    error: str = Field(description="A sentence that says what is wrong and what to do.")
    code: str = Field(description="A machine-readable error code.", pattern="^[a-z_]+$")

    @classmethod
    def of(cls, refusal: Refusal) -> Problem:
        return cls(error=str(refusal), code=refusal.code)


class Refusal(Exception):
    """A request that is refused; the message is shown to the client and says what to do."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    held_seconds: ClassVar[float] = 0  # delay before the response is sent


class BadImage(Refusal):
    """Bytes that cannot be decoded as a picture."""

    status = HTTPStatus.BAD_REQUEST
    code = "broken_image"


class BadForm(Refusal):
    """A body that is malformed or incomplete."""

    status = HTTPStatus.BAD_REQUEST
    code = "broken_form"


class Unauthorized(Refusal):
    """The API key is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    headers: ClassVar = {"WWW-Authenticate": "Bearer"}


class NotFound(Refusal):
    """A path, or a model card, that does not exist."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class FeedbackOff(NotFound):
    """This service does not store feedback."""

    code = "feedback_off"


class ForeignOrigin(Refusal):
    """A request by a web page of another origin that is not allowed to send feedback."""

    status = HTTPStatus.FORBIDDEN
    code = FOREIGN_ORIGIN


class UnknownVersion(NotFound):
    """A version of the model that is not the one in service."""

    code = "unknown_version"


class WrongMethod(Refusal):
    """An HTTP method that the path does not support."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "wrong_method"


class UnknownHost(Refusal):
    """A `Host` that is not allowed (ALLOWED_HOSTS, docs/operations.md)."""

    status = HTTPStatus.MISDIRECTED_REQUEST
    code = UNKNOWN_HOST


class TooSlow(Refusal):
    """A body that does not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "too_slow"
    headers: ClassVar = {"Connection": "close"}


class TooLarge(Refusal):
    """Too many bytes or parts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class TooManyPixels(TooLarge):
    """Too many pixels, even if the file is small."""

    code = "too_many_pixels"


class TooCostly(TooLarge):
    """Far too much work to decode, even if bytes and pixels are few."""

    code = "too_costly"


class WrongKind(Refusal):
    """A file of a recognised but unsupported type."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "wrong_kind"


class WrongEncoding(Refusal):
    """A compressed body. `Accept-Encoding` in the response says that it is not supported (RFC 9110, 8.4)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "wrong_encoding"
    headers: ClassVar = {"Accept-Encoding": "identity"}


class WrongField(Refusal):
    """A field that is missing, repeated or invalid."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "wrong_field"


class Unavailable(Refusal):
    """The service is temporarily unable to answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar = {"Retry-After": "1"}


class NoModel(Unavailable):
    """No model is in service."""

    code = "no_model"


class FeedbackAway(Unavailable):
    """The feedback folder cannot be written to."""

    code = "feedback_away"


class FeedbackFull(Refusal):
    """No room for more feedback."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "feedback_full"


class Busy(Unavailable):
    """The service is overloaded.

    The response is delayed by a second, which slows down clients that retry immediately.
    """

    code = "busy"
    held_seconds = 1.0


def error_response(refusal: Refusal) -> Response:
    """The response to a refused request."""
    return _response(Problem.of(refusal), refusal.status, refusal.headers)


def internal_error() -> Response:
    """The response to an internal error, without a traceback, a path or a version."""
    sentence = "Internal error. The service log has the details. Try again."
    return _response(Problem(error=sentence, code="internal"), HTTPStatus.INTERNAL_SERVER_ERROR, {})


def _response(problem: Problem, status: HTTPStatus, headers: dict[str, str]) -> Response:
    return Response(problem.model_dump_json(), status, headers, "application/json")
