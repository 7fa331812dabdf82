"""One picture that somebody gave feedback on, as its JSON file says it."""

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
    """A picture that is kept, and what is known of it.

    `id`: the SHA-256 of its bytes. `label`: what it shows, as a person says ("7", "-3,5 12", "not_a_digit").
    `answer`: what the model read ("7", "-3,5 12", "?" for a mark that is no digit, "" for nothing), with
    `confidence` from 0 to 1, None where a mark was rejected. `model`: its version. `received`: ISO 8601, UTC.
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
        """The file of the picture in the folder of the store."""
        return folder / self.file


_json = TypeAdapter(Kept)


def as_json(kept: Kept) -> bytes:
    """The content of the JSON file."""
    return _json.dump_json(kept, indent=2) + b"\n"


def of_json(content: bytes) -> Kept:
    """What a JSON file says; raises `ValueError` where it is damaged."""
    return _json.validate_json(content)


def ending(picture: bytes) -> str:
    """The ending of a picture file's name, by its first bytes; raises `FeedbackError` for other files."""
    for magic, name in _KINDS:
        if picture.startswith(magic):
            return name
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "webp"
    raise FeedbackError("This is no picture: send PNG, JPEG, WebP, BMP, GIF or TIFF.")
