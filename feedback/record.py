"""The JSON record of one picture that somebody gave feedback on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from feedback.errors import FeedbackError

State = Literal["new", "accepted", "dropped"]

_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II", "tif"),
    (b"MM", "tif"),
)


@dataclass(frozen=True)
class Kept:
    """The record of a stored picture.

    `id` is the SHA-256 of the picture's bytes. `label` is what a person says that it shows ("7", "-3,5 12",
    "not_a_digit"). `answer` is what the model read ("7", "-3,5 12", "?" for a rejected mark, "" for a blank
    picture), with its `confidence` from 0 to 1, which is None if a mark was rejected. `model` is the model's
    version. `received` is a time in ISO 8601, UTC.
    """

    id: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    file: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\.(png|jpg|webp|bmp|gif|tif)$")]
    label: str
    answer: str
    confidence: Annotated[float | None, Field(ge=0, le=1)]
    model: str
    received: str
    state: State

    def picture(self, folder: Path) -> Path:
        """The path of the picture in the store's folder."""
        return folder / self.file


_json = TypeAdapter(Kept)


def as_json(kept: Kept) -> bytes:
    """The content of the record's JSON file."""
    return _json.dump_json(kept, indent=2) + b"\n"


def of_json(content: bytes) -> Kept:
    """The record in a JSON file's content; raises `ValueError` if it is damaged."""
    return _json.validate_json(content)


def ending(picture: bytes) -> str:
    """The file name extension for a picture's first bytes, without a dot.

    Raises `FeedbackError` for files that are not pictures.
    """
    for magic, name in _KINDS:
        if picture.startswith(magic):
            return name
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "webp"
    raise FeedbackError("This is not a picture. Send PNG, JPEG, WebP, BMP, GIF or TIFF.")
