"""The texts of the window about an answer."""

from __future__ import annotations

import math

from ui.client import Reading
from ui.text import WINDOW


def percent(share: float) -> str:
    """0.9987 (0..1) as "99.9 %": rounded to a tenth and capped at 99.9 %."""
    return f"{min(math.floor(share * 1000 + 0.5), 999) / 10:.1f} %"


def words(reading: Reading) -> str:
    """The confidence of the answer, or why there is none."""
    confidences = [mark.confidence for mark in reading.digits if mark.confidence is not None]
    if not reading.digits:
        return WINDOW["blank"]
    if not confidences:
        return WINDOW["not_a_digit"]
    if any(mark.rejected for mark in reading.digits):
        return WINDOW["unclear"]
    name = "sure" if len(confidences) == 1 else "sure_number"
    return WINDOW[name].format(percent=percent(min(confidences)))


def model_name(version: str) -> str:
    """The name of the model that answered."""
    if version == "default":
        return WINDOW["default_model"]
    return WINDOW["model"].format(version=version) if version else WINDOW["own_model"]
