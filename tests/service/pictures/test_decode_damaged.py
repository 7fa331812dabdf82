"""Truncated, mutated and generated files are read or refused, without any other outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digits.ink.extraction import ink_map
from service.errors import Refusal
from service.pictures.decode import decode

# Pillow warns of oddities in broken files; they are expected here and no fault of ours.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

Draw = Callable[..., Image.Image]
Encoded = Callable[..., bytes]

KINDS = ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"]


@pytest.mark.parametrize("kind", KINDS)
def test_decode_of_truncated_files(draw: Draw, encoded: Encoded, kind: str) -> None:
    data = encoded(draw("7", (60, 60), 40), kind)
    lengths = range(len(data)) if len(data) < 400 else range(0, len(data), len(data) // 200)
    refused = [read_or_refused(data[:length]) for length in lengths]
    assert refused.count(True) > 0.8 * len(refused)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    places=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
)
def test_decode_of_mutated_files(
    draw: Draw, encoded: Encoded, kind: str, places: list[tuple[int, int]]
) -> None:
    data = bytearray(encoded(draw("7", (60, 60), 40), kind))
    for place, value in places:
        data[place % len(data)] = value
    read_or_refused(bytes(data))


HEADS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"RIFF....WEBP"]


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=500))
def test_decode_of_any_bytes(head: bytes, rest: bytes) -> None:
    read_or_refused(head + rest)


def read_or_refused(data: bytes) -> bool:
    """Whether the bytes were refused; it must be possible to find ink in a picture that was read."""
    try:
        image = decode(data)
    except Refusal:
        return True
    ink_map(image)
    return False
