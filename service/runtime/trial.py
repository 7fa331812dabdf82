"""The self-test of a model before it serves: it must answer without errors and read most known digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import ValidationError

from digits import ModelError, Reader
from digits.network.contract import CLASSES, FIELD
from service.answers import PredictAnswer, ReadAnswer, as_json

KNOWN_DIGITS = Path(__file__).with_name("known_digits.png")  # 0 to 9 in a row, each in its own square
_MANY = 128  # marks, a typical number on a page
MOST_WRONG = 2  # of the ten: a user's model may read badly, but one with permuted outputs reads none


def self_test(reader: Reader) -> None:
    """Read the known digits one by one and as a line, and a batch of noise; raises `ModelError` on failure.

    The batch also has a blank field and one full of ink. These are also a model's first, slow predictions.
    Freeing a large picture raises glibc's mmap threshold; without that, each prediction would cost a hundred
    page faults.
    """
    with Image.open(KNOWN_DIGITS) as file:
        line = file.convert("L")
    side = line.height
    try:
        odd = np.random.default_rng(0).integers(0, 256, (_MANY, FIELD, FIELD, 1)).astype(np.float32)
        odd[0], odd[1] = 0, 255
        finite = np.isfinite(reader.model.classify(odd).probabilities)
        reader.predict(Image.new("L", (2000, 1500)))
        squares = [line.crop((side * digit, 0, side * (digit + 1), side)) for digit in range(CLASSES)]
        answers = [PredictAnswer.model_validate(reader.predict(square)) for square in squares]
        for answer in (*answers, ReadAnswer.of(reader.read(line))):
            as_json(answer)
        reader.explain(squares[0])
    except ValidationError as error:
        raise ModelError(f"The model returns unusable answers ({error}). Export another model.") from error
    except Exception as error:  # onnxruntime's own errors share no public base class
        raise ModelError(f"The model fails on known digits ({error}). Export another model.") from error
    if not finite.all():
        raise ModelError("The model returns numbers that are not finite. Export another model.")
    read = [answer.digit for answer in answers]
    if sum(digit != known for known, digit in enumerate(read)) > MOST_WRONG:
        text = "".join("?" if digit is None else str(digit) for digit in read)
        raise ModelError(f"The model reads the known digits 0123456789 as {text}. Export another model.")
