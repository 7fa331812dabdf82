"""The limit: bare Starlette that decodes the same picture and runs the same code. No limits, no metrics."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import cv2
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from digits import Reader

cv2.setNumThreads(1)
reader = Reader.load(Path(os.environ["MODEL_DIR"]))


async def predict(request: Request) -> JSONResponse:
    async with request.form() as form:
        upload = form["image"]
        assert not isinstance(upload, str)
        with Image.open(upload.file) as image:
            return JSONResponse(asdict(reader.predict(image)))


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
