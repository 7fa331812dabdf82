"""The upper bound: bare Starlette with the same reader on the same picture, without limits or metrics."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import cv2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from digits import Reader
from service.pictures.decode import decode

cv2.setNumThreads(1)
reader = Reader.load(Path(os.environ["MODEL_DIR"]))


async def predict(request: Request) -> JSONResponse:
    async with request.form() as form:
        upload = form["image"]
        assert not isinstance(upload, str)
        return JSONResponse(asdict(reader.predict(decode(await upload.read()))))


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
