"""The Open Inference Protocol (V2), for clients of KServe and Triton."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from digits.network.contract import CLASSES, FIELD
from service.answers import as_json
from service.endpoints.tensors import InferAnswer, InferRequest, Tensor, as_binary, parsed, tensor_of
from service.errors import WrongField
from service.openapi import Endpoint
from service.pictures.upload import Body, header
from service.runtime.worker import Worker

NAME = "digits"
_MAX_BODY = 8 * 2**20
_JSON_LENGTH = "Inference-Header-Content-Length"


class ServerMetadata(BaseModel):
    """What speaks the protocol here."""

    name: str = NAME
    version: str = "1"
    extensions: list[str] = ["binary_tensor_data"]


class TensorMetadata(BaseModel):
    """A tensor's name and shape; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """The model, what it takes and what it gives."""

    name: str
    versions: list[str]
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
    """Handlers over what one worker reads with."""

    def __init__(self, worker: Worker) -> None:
        self._champion = worker.champion
        self._queue = worker.queues.side

    def endpoints(self) -> tuple[Endpoint, ...]:
        get = partial(Endpoint, "GET")
        health = partial(Endpoint, "GET", open=True, quiet=True)
        without_model = (503,)
        model = f"/v2/models/{NAME}"
        infer = Endpoint(
            "POST",
            f"{model}/infer",
            self._post,
            "Read a batch of 28x28 digits",
            InferAnswer,
            InferRequest,
            refuses=(400, 408, 413, 422, 503),
        )
        return (
            get("/v2", self._server, "What speaks the Open Inference Protocol here", ServerMetadata),
            health("/v2/health/live", self._live, "Is the process alive?", Live),
            health("/v2/health/ready", self._ready, "Is a model in service?", Ready, refuses=without_model),
            get(model, self._model, "What the model takes and gives", ModelMetadata, refuses=without_model),
            health(
                f"{model}/ready",
                self._model_ready,
                "Is the model in service?",
                ModelReady,
                refuses=without_model,
            ),
            infer,
        )

    async def _server(self, _request: Request) -> Response:
        return as_json(ServerMetadata())

    async def _live(self, _request: Request) -> Response:
        return as_json(Live())

    async def _ready(self, _request: Request) -> Response:
        self._champion.reader()  # raises where there is none
        return as_json(Ready())

    async def _model_ready(self, _request: Request) -> Response:
        self._champion.reader()
        return as_json(ModelReady())

    async def _model(self, _request: Request) -> Response:
        return as_json(
            ModelMetadata(
                name=NAME,
                versions=[self._champion.reader().model.manifest.version],
                platform="onnx_onnxv1",
                inputs=[TensorMetadata(name="image", datatype="FP32", shape=[-1, FIELD, FIELD, 1])],
                outputs=[
                    TensorMetadata(name="probabilities", datatype="FP32", shape=[-1, CLASSES]),
                    TensorMetadata(name="digit", datatype="INT64", shape=[-1]),
                ],
            )
        )

    async def _post(self, request: Request) -> Response:
        self._queue.admit()
        self._champion.reader()
        with Body(request, _MAX_BODY) as body:
            json_length = header(request.scope, _JSON_LENGTH.lower().encode())
            return await self._queue.run(partial(self._infer, await body.read(), json_length))

    def _infer(self, body: bytes, json_length: bytes) -> Response:
        asked, batch = parsed(body, json_length)
        model = self._champion.reader().model
        result = model.classify(batch)
        rejected = [model.is_rejected(float(score)) for score in result.rejection]
        digit = np.where(rejected, -1, result.probabilities.argmax(axis=1))
        given = {
            "probabilities": tensor_of("probabilities", result.probabilities, "FP32"),
            "digit": tensor_of("digit", digit, "INT64"),
        }
        outputs = [_named(given, output.name) for output in asked.outputs or ()] or list(given.values())
        answer = InferAnswer(
            model_name=NAME, model_version=model.manifest.version, id=asked.id, outputs=outputs
        )
        return _response(asked, answer)


def _named(given: dict[str, Tensor], name: str) -> Tensor:
    if name not in given:
        raise WrongField(f"There is no such output: ask for {' or '.join(given)}.")
    return given[name]


def _response(asked: InferRequest, answer: InferAnswer) -> Response:
    """JSON, and after it those outputs that the client wants as binary data."""
    binary = b"".join(as_binary(output) for output in answer.outputs if asked.wants_binary(output.name))
    content = answer.model_dump_json(exclude_none=True).encode()
    if not binary:
        return Response(content, media_type="application/json")
    headers = {_JSON_LENGTH: str(len(content))}
    return Response(content + binary, headers=headers, media_type="application/octet-stream")
