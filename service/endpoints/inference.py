"""The Open Inference Protocol (V2), for clients of KServe and Triton."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from digits import Model
from digits.network.contract import CLASSES, FIELD
from service.answers import JSON, as_json
from service.endpoints.tensors import (
    DATATYPES,
    InferAnswer,
    InferRequest,
    OutputTensor,
    as_binary,
    parsed,
    tensor_of,
)
from service.errors import UnknownVersion
from service.openapi import Endpoint, Handler
from service.pictures.upload import Body, header
from service.runtime.worker import Worker

NAME = "digits"
TAG = "Open Inference Protocol"
_MAX_BODY = 8 * 2**20
_JSON_LENGTH = "Inference-Header-Content-Length"


class ServerMetadata(BaseModel):
    """Name, version and extensions of this server."""

    name: str = NAME
    version: str = "1"
    extensions: list[str] = ["binary_tensor_data"]


class InputParameters(BaseModel):
    """An addition to the protocol: the accepted datatypes, and the lowest and highest grey level."""

    datatypes: tuple[str, ...] = DATATYPES
    range: tuple[int, int] = (0, 255)


class TensorMetadata(BaseModel):
    """A tensor's name and shape; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]
    parameters: InputParameters | None = None


class ModelMetadata(BaseModel):
    """The model, its inputs and its outputs."""

    name: str
    versions: Annotated[list[str] | None, Field(description="Omitted if the model has no version.")] = None
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class Live(BaseModel):
    """The process is alive."""

    live: bool = True


class Ready(BaseModel):
    """A model is in service."""

    ready: bool = True


class ModelReady(Ready):
    """This model is in service."""

    name: str = NAME


class Inference:
    """Request handlers that use one `Worker`."""

    def __init__(self, worker: Worker) -> None:
        self._champion = worker.champion
        self._queue = worker.queues.side

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint(
                "GET", "/v2", self._server, "Server metadata", ServerMetadata, tag=TAG, aliases=("/v2/",)
            ),
            _health("/v2/health/live", self._live, "Is the process alive?", Live),
            _health("/v2/health/ready", self._ready, "Is a model in service?", Ready, 503),
            *self._of_model(f"/v2/models/{NAME}"),
            *self._of_model(f"/v2/models/{NAME}/versions/{{version}}", 404),
        )

    def _of_model(self, path: str, *refuses: int) -> tuple[Endpoint, ...]:
        """The endpoints under the path of a model or of one of its versions."""
        refuses = (*refuses, 503)
        return (
            Endpoint(
                "GET",
                path,
                self._model,
                "The model's inputs and outputs",
                ModelMetadata,
                tag=TAG,
                refuses=refuses,
            ),
            _health(f"{path}/ready", self._model_ready, "Is the model in service?", ModelReady, *refuses),
            Endpoint(
                "POST",
                f"{path}/infer",
                self._infer,
                "Read a batch of 28x28 digits",
                InferAnswer,
                InferRequest,
                tag=TAG,
                refuses=(400, 408, 413, 415, 422, *refuses),
            ),
        )

    async def _server(self, _request: Request) -> Response:
        return as_json(ServerMetadata())

    async def _live(self, _request: Request) -> Response:
        return as_json(Live())

    async def _ready(self, _request: Request) -> Response:
        self._champion.reader()  # raises `NoModel` if there is none
        return as_json(Ready())

    async def _model_ready(self, request: Request) -> Response:
        self._asked_for(request)
        return as_json(ModelReady())

    async def _model(self, request: Request) -> Response:
        version = self._asked_for(request).manifest.version
        image = TensorMetadata(
            name="image",
            datatype="FP32",
            shape=[-1, FIELD, FIELD, 1],
            parameters=InputParameters(),
        )
        metadata = ModelMetadata(
            name=NAME,
            versions=[version] if version else None,
            platform="onnx_onnxv1",
            inputs=[image],
            outputs=[
                TensorMetadata(name="probabilities", datatype="FP32", shape=[-1, CLASSES]),
                TensorMetadata(name="digit", datatype="INT64", shape=[-1]),
            ],
        )
        return Response(metadata.model_dump_json(exclude_none=True), media_type=JSON)

    async def _infer(self, request: Request) -> Response:
        self._queue.admit()
        self._asked_for(request)
        with Body(request, _MAX_BODY) as body:
            json_length = header(request.scope, _JSON_LENGTH.lower().encode())
            content = await body.read()
            return await self._queue.run(lambda: _answer(self._asked_for(request), content, json_length))

    def _asked_for(self, request: Request) -> Model:
        """The model in service; raises `UnknownVersion` if the path names another version."""
        model = self._champion.reader().model
        version = request.path_params.get("version", model.manifest.version)
        if version != model.manifest.version:
            raise UnknownVersion(
                f"Version {version[:100]} is not in service. Omit /versions/... to use the version that is."
            )
        return model


def _health(path: str, handler: Handler, summary: str, answer: type[BaseModel], *refuses: int) -> Endpoint:
    return Endpoint("GET", path, handler, summary, answer, tag=TAG, refuses=refuses, open=True, quiet=True)


def _answer(model: Model, body: bytes, json_length: bytes) -> Response:
    """The model's answer to one inference request."""
    asked, batch = parsed(body, json_length)
    result = model.classify(batch)
    rejected = [model.is_rejected(float(score)) for score in result.rejection]
    digit = np.where(rejected, -1, result.probabilities.argmax(axis=1))
    given = {
        "probabilities": tensor_of("probabilities", result.probabilities, "FP32"),
        "digit": tensor_of("digit", digit, "INT64"),
    }
    outputs: list[OutputTensor] = [given[output.name] for output in asked.outputs or ()]
    answer = InferAnswer(
        model_name=NAME,
        model_version=model.manifest.version or None,
        id=asked.id,
        outputs=outputs or list(given.values()),
    )
    return _response(asked, answer)


def _response(asked: InferRequest, answer: InferAnswer) -> Response:
    """JSON, followed by the outputs that the client wants as binary data."""
    binary = b"".join(as_binary(output) for output in answer.outputs if asked.wants_binary(output.name))
    content = answer.model_dump_json(exclude_none=True).encode()
    if not binary:
        return Response(content, media_type=JSON)
    headers = {_JSON_LENGTH: str(len(content))}
    return Response(content + binary, headers=headers, media_type="application/octet-stream")
