"""What the window says of an answer."""

from __future__ import annotations

from ui.client import Reading
from ui.text import WINDOW


def words(reading: Reading) -> str:
    """How sure the answer is, or why there is none."""
    confidences = [mark.confidence for mark in reading.digits if mark.confidence is not None]
    if not reading.digits:
        return WINDOW["blank"]
    if not confidences:
        return WINDOW["not_a_digit"]
    if any(mark.rejected for mark in reading.digits):
        return WINDOW["unclear"]
    name = "sure" if len(confidences) == 1 else "sure_number"
    return WINDOW[name].format(percent=f"{min(confidences) * 100:.1f}")


def model_name(version: str) -> str:
    """What to call the model that answered."""
    if version == "default":
        return WINDOW["default_model"]
    return WINDOW["model"].format(version=version) if version else WINDOW["own_model"]
