"""Error responses of the page's server, in the service's error format."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse


def refused(status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A JSON error response with a sentence that says what to do and a machine-readable code."""
    content = {"error": sentence, "code": code}
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})
