"""A BentoML service as in its quickstart: a picture in, a dict out, with the defaults."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bentoml
from PIL import Image

from digits import Reader


@bentoml.service(workers=int(os.environ["WORKERS"]))
class Quickstart:
    """One method, as in BentoML's documentation."""

    def __init__(self) -> None:
        self.reader = Reader.load(Path(os.environ["MODEL_DIR"]))

    @bentoml.api  # type: ignore[untyped-decorator]  # BentoML's decorator is untyped
    def predict(self, image: Image.Image) -> dict[str, Any]:
        return asdict(self.reader.predict(image))
