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
from service.lanes import Lanes


def endpoints(champion: Champion, lanes: Lanes) -> tuple[Endpoint, ...]:
    """The endpoints over one champion and one worker's lanes."""

    @cache
    def document() -> dict[str, Any]:
        return docs.document(table)

    images = Images(champion, lanes)
    admin = Admin(champion, document)
    image = partial(Endpoint, "POST", takes="image", refuses=(400, 408, 413, 415, 422, 503))
    batch = partial(Endpoint, "POST", takes="images", refuses=(400, 408, 413, 422, 503))
    get = partial(Endpoint, "GET")
    health = partial(Endpoint, "GET", answer="text/plain", open=True, quiet=True)
    table = (
        image("/predict", images.predict, "Read one digit", PredictAnswer),
        image("/read", images.read, "Read all digits", ReadAnswer),
        image("/explain", images.explain, "Show what the network saw", ExplainAnswers),
        batch("/predict_batch", images.predict_batch, "Read one digit in each picture", BatchAnswer),
        get("/model", admin.model, "The model's manifest", ManifestAnswer, refuses=(503,)),
        health("/livez", admin.live, "Is the process alive?"),
        health("/healthz", admin.live, "The same as /livez"),
        health("/readyz", admin.ready, "Is a model in service?", refuses=(503,)),
        get("/metrics", admin.metrics, "Prometheus metrics of all workers", "text/plain", quiet=True),
        get("/docs.json", admin.docs_json, "This document", "application/json", open=True),
        get("/", admin.docs_page, "This document as a page", "text/html", open=True),
    )
    return table
