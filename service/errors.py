"""Every refusal of the service, and the one shape in which a client sees it."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from addresses.hosts import UNKNOWN_HOST
from addresses.origins import FOREIGN_ORIGIN


class Problem(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    error: str = Field(description="A sentence that says what is wrong and what to do.")
    code: str = Field(description="One word for programs.", pattern="^[a-z_]+$")

    @classmethod
    def of(cls, refusal: Refusal) -> Problem:
        return cls(error=str(refusal), code=refusal.code)


class Refusal(Exception):
    """A request that is not served; the message is one sentence that says what to do."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    held_seconds: ClassVar[float] = 0  # for which the refusal is held back


class BadImage(Refusal):
    """Bytes that do not decode."""

    status = HTTPStatus.BAD_REQUEST
    code = "broken_image"


class BadForm(Refusal):
    """A body that is not a whole multipart form."""

    status = HTTPStatus.BAD_REQUEST
    code = "broken_form"


class Unauthorized(Refusal):
    """No API key, or a wrong one."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    headers: ClassVar = {"WWW-Authenticate": "Bearer"}


class NotFound(Refusal):
    """An unknown path."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class FeedbackOff(NotFound):
    """No feedback is kept here."""

    code = "feedback_off"


class ForeignOrigin(Refusal):
    """A web page elsewhere, whose scripts may not change anything here."""

    status = HTTPStatus.FORBIDDEN
    code = FOREIGN_ORIGIN


class UnknownVersion(NotFound):
    """A version of the model that is not the one in service."""

    code = "unknown_version"


class WrongMethod(Refusal):
    """A method that a path does not take."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "wrong_method"


class UnknownHost(Refusal):
    """A `Host` that is none of this server's names: docs/operations.md says which are."""

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
    """Few bytes, perhaps, but too many pixels."""

    code = "too_many_pixels"


class TooCostly(TooLarge):
    """Few bytes and few pixels, perhaps, but far too much work."""

    code = "too_costly"


class WrongKind(Refusal):
    """A recognised kind of file that is not taken."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "wrong_kind"


class WrongEncoding(Refusal):
    """A compressed body (RFC 9110, 8.4): the header says that none is taken."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "wrong_encoding"
    headers: ClassVar = {"Accept-Encoding": "identity"}


class WrongField(Refusal):
    """A field that is missing, repeated or of another kind."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "wrong_field"


class Unavailable(Refusal):
    """Not now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar = {"Retry-After": "1"}


class NoModel(Unavailable):
    """There is no model to answer with."""

    code = "no_model"


class FeedbackAway(Unavailable):
    """The folder for feedback cannot be written to."""

    code = "feedback_away"


class FeedbackFull(Refusal):
    """No room for more feedback."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "feedback_full"


class Busy(Unavailable):
    """Too much to do. Held back for a second: a client that asks again at once is slowed down, at no cost."""

    code = "busy"
    held_seconds = 1.0


def refused(refusal: Refusal) -> Response:
    """A refusal as the response that a client sees."""
    return _response(Problem.of(refusal), refusal.status, refusal.headers)


def failed() -> Response:
    """What a client sees of a fault of ours: no trace, no path, no version."""
    sentence = "Something went wrong here, and the log has the details: try again."
    return _response(Problem(error=sentence, code="internal"), HTTPStatus.INTERNAL_SERVER_ERROR, {})


def _response(problem: Problem, status: HTTPStatus, headers: dict[str, str]) -> Response:
    return Response(problem.model_dump_json(), status, headers, "application/json")
