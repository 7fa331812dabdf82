"""The BentoML service: `bentoml serve service.service:DigitsService`.

BentoML starts, supervises and stops the workers; the endpoints are in `service.api` (see
docs/decisions/service.md for why they are no `@bentoml.api` methods).
"""

from __future__ import annotations

import gc
import logging
import os
from pathlib import Path

import bentoml
from bentoml._internal.utils.analytics import usage_stats

from digits import ModelError
from service.api import Api
from service.champion import Champion
from service.gate import Gate

os.environ["BENTOML_DO_NOT_TRACK"] = "True"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` asked before it imported this module

_logger = logging.getLogger("bentoml.digits")

champion = Champion(Path(os.environ.get("MODEL_DIR", "models/champion")))


class Digits:
    """Reads handwritten digits."""

    def __init__(self) -> None:
        try:
            manifest = champion.load()
            _logger.info("Serving model %s", manifest.version or manifest.sha256[:12])
        except ModelError as error:
            _logger.warning("%s", error)
        gc.collect()
        gc.freeze()  # BentoML's 110,000 objects: a full collection would pause every request


DigitsService = bentoml.service(
    name="digits",
    workers=int(os.environ.get("WORKERS", "1")),
    http={"host": os.environ.get("HOST", "127.0.0.1"), "port": int(os.environ.get("SERVICE_PORT", "3000"))},
    metrics={"enabled": False},  # unknown paths would become labels there
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": "."},
)(Digits)
DigitsService.add_asgi_middleware(Gate, api=Api(champion), api_key=os.environ.get("API_KEY", ""))
