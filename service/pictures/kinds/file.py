"""A picture file that has been looked through, and how many pieces an honest one may have."""

# Why it is so: docs/decisions/decode-costs.md
from __future__ import annotations

from dataclasses import dataclass, field

from service.errors import BadImage, TooCostly


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture whose structure is sound and whose pixels are still packed.

    `data` holds what the pixels are made from, without metadata. `width` and `height` are as stored,
    `orientation` is EXIF's, 1 to 8. `linear` says that Pillow decodes it in time and memory that grow with
    its bytes and pixels alone; what is not goes to a process with limits.
    """

    kind: str
    data: bytes = field(repr=False)
    width: int
    height: int
    orientation: int = 1
    linear: bool = False


def most_pieces(data: bytes, usual_bytes: int = 1024) -> int:
    """How many pieces (chunks, segments, blocks) a file may have: 1,000, and one for every `usual_bytes`.

    Each piece costs a parser about a microsecond whatever is in it, and 20 MiB hold millions of empty ones.
    """
    return 1000 + len(data) // usual_bytes


def damaged(kind: str) -> BadImage:
    return BadImage(f"The {kind} file is damaged or incomplete: send it again.")


def too_costly(kind: str) -> TooCostly:
    return TooCostly(
        f"The {kind} file takes far more work to decode than its pixels should: "
        "save it again with another program."
    )
