"""What the page's server refuses by itself, in the shape that the service gives its refusals."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse


def refused(status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A sentence that says what to do, and a word for programs."""
    content = {"error": sentence, "code": code}
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})
