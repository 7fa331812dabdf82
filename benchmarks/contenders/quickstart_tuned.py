"""The quickstart with the settings of the others: one thread for OpenCV, no access log."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bentoml
import cv2
from PIL import Image

from digits import Reader


@bentoml.service(workers=int(os.environ["WORKERS"]), logging={"access": {"enabled": False}})
class Quickstart:
    """One method, as in BentoML's documentation."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self.reader = Reader.load(Path(os.environ["MODEL_DIR"]))

    @bentoml.api  # type: ignore[untyped-decorator]  # BentoML's decorator is untyped
    def predict(self, image: Image.Image) -> dict[str, Any]:
        return asdict(self.reader.predict(image))
