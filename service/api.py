"""All endpoints in one table: the gate serves from it, and `/docs.json` is made from it."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from service import docs
from service.admin import Admin
from service.answers import BatchAnswer, ExplainAnswers, ManifestAnswer, PredictAnswer, ReadAnswer
from service.champion import Champion
from service.endpoint import Endpoint
from service.images import Images
from service.inference import NAME, Inference, Live, ModelMetadata, ModelReady, Ready, ServerMetadata
from service.lanes import Lanes
from service.tensors import InferAnswer, InferRequest


def endpoints(champion: Champion, lanes: Lanes) -> tuple[Endpoint, ...]:
    """The endpoints over one champion and one worker's lanes."""

    @cache
    def document() -> dict[str, Any]:
        return docs.document(table)

    table = (
        *_for_pictures(Images(champion, lanes)),
        *_for_tensors(Inference(champion, lanes)),
        *_for_operators(Admin(champion, document)),
    )
    return table


def _for_pictures(images: Images) -> tuple[Endpoint, ...]:
    post = partial(Endpoint, "POST", takes="image", refuses=(400, 408, 413, 415, 422, 503))
    many = partial(Endpoint, "POST", takes="images", refuses=(400, 408, 413, 422, 503))
    return (
        post("/predict", images.predict, "Read one digit", PredictAnswer),
        post("/read", images.read, "Read all digits", ReadAnswer),
        post("/explain", images.explain, "Show what the network saw", ExplainAnswers),
        many("/predict_batch", images.predict_batch, "Read one digit in each picture", BatchAnswer),
    )


def _for_operators(admin: Admin) -> tuple[Endpoint, ...]:
    get = partial(Endpoint, "GET")
    health = partial(Endpoint, "GET", answer="text/plain", open=True, quiet=True)
    return (
        get("/model", admin.model, "The model's manifest", ManifestAnswer, refuses=(503,)),
        health("/livez", admin.live, "Is the process alive?"),
        health("/healthz", admin.live, "The same as /livez"),
        health("/readyz", admin.ready, "Is a model in service?", refuses=(503,)),
        get("/metrics", admin.metrics, "Prometheus metrics of all workers", "text/plain", quiet=True),
        get("/docs.json", admin.docs_json, "This document", "application/json", open=True),
        get("/", admin.docs_page, "This document as a page", "text/html", open=True),
    )


def _for_tensors(inference: Inference) -> tuple[Endpoint, ...]:
    """The Open Inference Protocol's."""
    get = partial(Endpoint, "GET")
    health = partial(Endpoint, "GET", open=True, quiet=True)
    model = f"/v2/models/{NAME}"
    infer = Endpoint(
        "POST",
        f"{model}/infer",
        inference.infer,
        "Read a batch of 28x28 digits",
        InferAnswer,
        InferRequest,
        refuses=(400, 408, 413, 422, 503),
    )
    return (
        get("/v2", inference.server, "What speaks the Open Inference Protocol here", ServerMetadata),
        health("/v2/health/live", inference.live, "Is the process alive?", Live),
        health("/v2/health/ready", inference.ready, "Is a model in service?", Ready, refuses=(503,)),
        get(model, inference.model, "What the model takes and gives", ModelMetadata, refuses=(503,)),
        health(
            f"{model}/ready", inference.model_ready, "Is the model in service?", ModelReady, refuses=(503,)
        ),
        infer,
    )
