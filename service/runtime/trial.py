"""Whether a model can serve: it builds whole answers about digits that are known, and reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import ValidationError

from digits import ModelError, Reader
from digits.network.contract import CLASSES, FIELD
from service.answers import PredictAnswer, ReadAnswer, as_json

KNOWN_DIGITS = Path(__file__).with_name("known_digits.png")  # 0 to 9 in a row, each on a square of its own
_MANY = 128  # as many marks as a page has
MOST_WRONG = 2  # of the ten: an own model may read badly, but one with its outputs mixed up reads none


def try_out(reader: Reader) -> None:
    """Read known digits, one by one and as a line, and odd fields; raises `ModelError` where that goes wrong.

    These are also a model's first, slow predictions. A large picture, once freed, teaches the C library to
    keep memory for the next: without it, each prediction costs a hundred page faults.
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
        raise ModelError(f"The model's answers are no answers ({error}): export another.") from error
    except Exception as error:  # onnxruntime's own errors share no public base class
        raise ModelError(f"The model does not run on known digits ({error}): export another.") from error
    if not finite.all():
        raise ModelError("The model gives no finite numbers: export another.")
    read = [answer.digit for answer in answers]
    if sum(digit != known for known, digit in enumerate(read)) > MOST_WRONG:
        text = "".join("?" if digit is None else str(digit) for digit in read)
        raise ModelError(f"The model reads the known digits 0123456789 as {text}: export another.")
