"""Files that programs upload before they refer to them: kept in memory for a minute, and used once."""

from __future__ import annotations

import asyncio
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ui.bodies import MAX_BODY
from ui.refusals import refused
from ui.text import SERVICE

UPLOAD = "/gradio_api/upload"
KEPT_SECONDS = 60.0
MAX_KEPT = 60 * 2**20  # bytes of all files together
MAX_FILES = 8  # per request; Gradio's clients send one
LEAST = 4096  # bytes; a smaller file counts as this many, so that the number of empty files is limited too


class Uploads:
    """The uploaded files by name; for use in one event loop."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._held = 0

    def keep(self, content: bytes) -> str | None:
        """Keep a file and return its new name; None if there is no room for it."""
        if self._held + _counted(content) > MAX_KEPT:
            return None
        name = secrets.token_urlsafe()
        self._files[name] = content
        self._held += _counted(content)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self.take, name)
        return name

    def take(self, name: str) -> bytes | None:
        """Remove and return a file; None if there is none with this name."""
        content = self._files.pop(name, None)
        if content is not None:
            self._held -= _counted(content)
        return content


class _InMemory(MultiPartParser):
    """A parser that keeps files in memory, where Starlette's would write files over 1 MB to disk."""

    spool_max_size = MAX_BODY


def upload_route(uploads: Uploads) -> APIRouter:
    """`POST /gradio_api/upload` for Gradio's clients, instead of Gradio's own, which writes to disk."""
    routes = APIRouter()

    @routes.post(UPLOAD)
    async def upload(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return refused(400, "not_a_form", SERVICE["not_a_form"])
        parser = _InMemory(request.headers, request.stream(), max_files=MAX_FILES, max_fields=MAX_FILES)
        try:
            form = await parser.parse()
        except MultiPartException:
            return refused(400, "not_a_form", SERVICE["not_a_form"])
        names = []
        try:
            for file in form.getlist("files"):
                name = uploads.keep(await file.read()) if isinstance(file, UploadFile) else None
                if name is None:
                    return refused(503, "busy", SERVICE["many_bodies"], {"Retry-After": "1"})
                names.append(name)
        finally:
            await form.close()
        return JSONResponse(names)

    # Gradio would write these to disk, up to `max_file_size`.
    @routes.post("/gradio_api/process_recording")
    @routes.post("/gradio_api/component_server")
    @routes.post("/gradio_api/component_server/")
    async def elsewhere() -> Response:
        return refused(404, "not_here", SERVICE["not_here"])

    return routes


def _counted(content: bytes) -> int:
    return max(len(content), LEAST)
