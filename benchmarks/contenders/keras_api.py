"""The most common design: FastAPI and `model.predict`, with the Keras model of the same network."""

from __future__ import annotations

import os
from typing import Any

import keras
from fastapi import FastAPI, UploadFile
from PIL import Image

from digits.ink.extraction import ink_map
from digits.network.network_input import network_input

model = keras.models.load_model(os.environ["KERAS_MODEL"], compile=False)
app = FastAPI()


@app.post("/predict")
def predict(image: UploadFile) -> dict[str, Any]:
    with Image.open(image.file) as picture:
        field = network_input(ink_map(picture))
    assert field is not None  # every picture of the benchmark has ink
    scores = model.predict(field[None, ..., None], verbose=0)[0]
    return {"digit": int(scores[:10].argmax()), "scores": scores.tolist()}
