"""The class `Endpoint`, the OpenAPI 3.1 document `/docs.json` that describes all endpoints, and its page."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from digits import Manifest
from feedback.labels import MOST_CHARACTERS, NOT_A_DIGIT
from service.answers import MAX_BATCH
from service.errors import Problem

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
"""The file with the project's version, next to the packages in a checkout, an image, a Bento and a Space."""

_IN_PATH = re.compile(r"{(\w+)}")
_WORDS = re.compile(r"\w+")
_REF = "#/components/schemas/{model}"

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Digits: reads handwritten digits</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static_content/swagger-ui.css">
<div id="page"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script nonce="docs">SwaggerUIBundle({url: "docs.json", dom_id: "#page"})</script>
</html>
"""
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'nonce-docs'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
PAGE_FILES = ("/static_content/swagger-ui.css", "/static_content/swagger-ui-bundle.js")
"""The files that the page loads. BentoML serves them from its own package, not from another host."""

_KINDS = "image/png, image/jpeg, image/webp, image/bmp, image/gif, image/tiff"
_PICTURE = {
    "type": "string",
    "format": "binary",  # generated clients and the page recognise files by it
    "minLength": 1,
    "description": "A PNG, JPEG, WebP, BMP, TIFF or GIF (first frame), in any colours.",
}

FormField = Literal["image", "images", "label"]
_FIELDS: dict[FormField, dict[str, Any]] = {
    "image": _PICTURE,
    "images": {"type": "array", "items": _PICTURE, "minItems": 1, "maxItems": MAX_BATCH},
    "label": {
        "type": "string",
        "maxLength": MOST_CHARACTERS,
        "description": "What the picture shows: a digit, numbers as `/read` writes them (`-3,5 12`), or "
        f"`{NOT_A_DIGIT}`.",
    },
}


Answer = type[BaseModel] | type[Manifest] | str
Handler = Callable[[Request], Awaitable[ASGIApp]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; an ASGI application, to which Starlette routes."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    summary: str
    answer: Answer  # the model of the JSON response, or another media type
    takes: type[BaseModel] | tuple[FormField, ...] | None = (
        None  # model of the JSON body, or multipart fields
    )
    tag: str = ""  # heading in the document
    aliases: tuple[str, ...] = ()  # paths that the document leaves out
    also: str = ""  # another media type that `Accept` may ask for
    query: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # schemas of the query parameters
    refuses: tuple[int, ...] = ()  # statuses of its error responses
    open: bool = False  # needs no API key
    quiet: bool = False  # polled by machines, so successful requests are not logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.handler(Request(scope, receive))
        await response(scope, receive, send)


def document(
    endpoints: Sequence[Endpoint], root_path: str = "", asks_for_key: bool = False
) -> dict[str, Any]:
    """The OpenAPI document of these endpoints, which a proxy publishes under `root_path`.

    Operations require the API key only if `asks_for_key`, because generated clients would otherwise demand
    one.
    """
    used = [model for entry in endpoints for model in (entry.answer, entry.takes)]
    models = {model for model in used if isinstance(model, type)} | {Problem}
    wanted: list[tuple[type[Any], JsonSchemaMode]] = [(model, "serialization") for model in models]
    _, definitions = models_json_schema(wanted, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for entry in endpoints:
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry, asks_for_key)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Digits",  # generated packages are named after it: digits-client
            "version": tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"],
            "description": "Reads handwritten digits: single digits, numbers and whole pages.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root_path or "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(entry.tag for entry in endpoints)],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(entry: Endpoint, asks_for_key: bool) -> dict[str, Any]:
    locked = asks_for_key and not entry.open
    answers = _content(entry.answer) | (_content(entry.also) if entry.also else {})
    responses = {"200": {"description": "The answer", "content": answers}}
    for status in (401, *entry.refuses) if locked else entry.refuses:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": _content(Problem)}
    operation: dict[str, Any] = {
        "summary": entry.summary,
        "operationId": _operation_id(entry),
        "tags": [entry.tag],
        "responses": responses,
        "security": [{"key": []}] if locked else [],
    }
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _IN_PATH.findall(entry.path)
    ]
    in_query = [{"name": name, "in": "query", "schema": schema} for name, schema in entry.query.items()]
    if in_path or in_query:
        operation["parameters"] = in_path + in_query
    if entry.takes:
        content = _form(entry.takes) if isinstance(entry.takes, tuple) else _content(entry.takes)
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(entry: Endpoint) -> str:
    """The operationId, after which generated clients name their functions: `predict`, `get_model`."""
    words = _WORDS.findall(entry.path) or ["page"]
    return "_".join(words if entry.method == "POST" else ["get", *words])


def _form(names: tuple[FormField, ...]) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: _FIELDS[name] for name in names}, "required": [*names]}
    encoding = {name: {"contentType": _KINDS} for name in names if name != "label"}
    return {"multipart/form-data": {"schema": schema, "encoding": encoding}}


def _content(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, str):
        text = {"type": "string"} if answer.startswith("text/") else {}
        return {answer: {"schema": text}}
    return {"application/json": {"schema": {"$ref": _REF.format(model=answer.__name__)}}}
