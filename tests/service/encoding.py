"""Pictures as files, chunks of PNGs, and a picture without a digit."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file written by Pillow."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """One chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def black_block() -> Image.Image:
    """A block of ink, which is not a digit."""
    image = Image.new("L", (280, 280), 255)
    image.paste(0, (50, 50, 230, 230))
    return image
