"""A checked picture file, and the limits and errors that all formats share."""

# See docs/decisions/decode-costs.md.
from __future__ import annotations

from dataclasses import dataclass, field

from service.errors import BadImage, TooCostly


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture whose structure has been checked, but whose pixels are not decoded yet.

    `kind`: Pillow's name of the format. `data`: the parts of the file that decide the pixels, without
    metadata. `width`, `height`: as stored, in pixels. `orientation`: EXIF's, 1 to 8. `linear`: whether
    Pillow's time and memory grow only with bytes and pixels; other files are decoded in the sandbox.
    """

    kind: str
    data: bytes = field(repr=False)
    width: int
    height: int
    orientation: int = 1
    linear: bool = False


def most_pieces(data: bytes, usual_bytes: int = 1024) -> int:
    """The number of pieces (chunks, segments, blocks) that a file may have: 1,000 plus one per `usual_bytes`.

    Each piece costs a parser about a microsecond whatever its content, and 20 MiB have room for millions of
    empty ones.
    """
    return 1000 + len(data) // usual_bytes


def damaged(kind: str) -> BadImage:
    return BadImage(f"The {kind} file is damaged or incomplete. Send it again.")


def too_costly(kind: str) -> TooCostly:
    return TooCostly(
        f"The {kind} file takes far more work to decode than its size justifies. "
        "Save it again with another program."
    )
