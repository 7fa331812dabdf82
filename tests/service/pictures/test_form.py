"""Multipart forms: those of HTTP libraries are read, all others are refused quickly."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadForm, Refusal, TooLarge, WrongField
from service.pictures.form import Form
from tests.service.clock import least_seconds

KIND = b"multipart/form-data; boundary=x"
PART = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
)


def fields(kind: bytes, body: bytes, name: bytes, *, at_once: int = 1_000_000) -> list[bytes]:
    """The contents of the fields with this name, for a body that arrives in chunks of this size."""
    return [b"".join(pieces) for pieces in taken(kind, body, name, at_once).contents(name)]


def image_field(kind: bytes, body: bytes, *, at_once: int = 1_000_000) -> bytes:
    return b"".join(taken(kind, body, b"image", at_once).content(b"image", "one picture"))


def taken(kind: bytes, body: bytes, name: bytes, at_once: int) -> Form:
    form = Form(kind, name)
    for begin in range(0, max(len(body), 1), at_once):
        form.take(body[begin : begin + at_once])
    return form


def test_image_field_is_found() -> None:
    assert image_field(KIND, PART + b"data\r\n--x--\r\n") == b"data"
    assert image_field(KIND, PART + b"\r\n--x--") == b""
    assert (
        image_field(KIND, PART + b"a\r\nb\r\n\r\n--xy".replace(b"--xy", b"-x") + b"\r\n--x--")
        == b"a\r\nb\r\n\r\n-x"
    )


def test_image_field_is_found_among_others() -> None:
    other = b'--x\r\ncontent-disposition: form-data; filename="; name=image"; name="label"\r\n\r\n7\r\n'
    assert image_field(KIND, other + PART + b"data\r\n--x--\r\nepilogue") == b"data"


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        (b'Multipart/Form-Data; charset=utf-8; BOUNDARY="a b"', b"a b"),
        (b"multipart/form-data;boundary=----7", b"----7"),
    ],
)
def test_image_field_takes_every_spelling_of_the_type(kind: bytes, boundary: bytes) -> None:
    body = PART.replace(b"--x", b"--" + boundary) + b"data\r\n--" + boundary + b"--"
    assert image_field(kind, body) == b"data"


@pytest.mark.parametrize(
    ("kind", "body", "refusal"),
    [
        (b"", b"", WrongField),
        (b"application/x-www-form-urlencoded", b"image=x", WrongField),
        (b"multipart/form-data", PART, BadForm),
        (b"multipart/form-data; boundary=", PART, BadForm),
        (KIND, b"", BadForm),
        (KIND, b"no boundary at all", BadForm),
        (KIND, PART + b"data", BadForm),
        (KIND, PART + b"data\r\n--x", BadForm),
        (KIND, b"--x\r\n\r\ndata\r\n--x--", BadForm),
        (KIND, b"--x\r\nContent-Disposition: form-data\r\ndata\r\n--x--", BadForm),
        (KIND, b"--xyz" + PART[3:] + b"data\r\n--x--", BadForm),
        (KIND, b"--x\r\nA: " + b"b" * 10_000 + b"\r\n\r\n\r\n--x--", BadForm),
        (b"multipart/form-data; boundary=" + b"x" * 71, b"", BadForm),
        (KIND, b"--x--", WrongField),
        (KIND, PART.replace(b"image", b"picture", 1) + b"data\r\n--x--", WrongField),
        (KIND, PART + b"a\r\n" + PART + b"b\r\n--x--", WrongField),
        (KIND, (PART + b"\r\n") * 101 + b"--x--", TooLarge),
    ],
)
def test_image_field_refuses(kind: bytes, body: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        image_field(kind, body)


def test_image_field_is_quick_where_the_body_trickles_in() -> None:
    """Bytes that look like the end of a field cost little more than others."""

    def seconds(filler: bytes) -> float:
        body = PART + filler * 100_000 + b"\r\n--x--"

        def read() -> None:
            assert len(image_field(KIND, body, at_once=3)) == 400_000

        return least_seconds(read, rounds=1)

    assert seconds(b"\r\n--") < 3 * seconds(b"data")


@pytest.mark.parametrize("filler", [b"\r\n", b"\r", b"-", b"\r\n--", b"\r\n--x", b"--x\r\n\r\n", b"\0"])
def test_image_field_is_quick_with_hostile_bodies(filler: bytes) -> None:
    """It takes a few times a harmless body's time; one step per filler byte would take hundreds of times."""

    def refuse(filler: bytes) -> float:
        body = PART + filler * (20_000_000 // len(filler))

        def read() -> None:
            with pytest.raises(Refusal):
                image_field(KIND, body)

        return least_seconds(read)

    assert refuse(filler) < 20 * refuse(b"data")


@settings(max_examples=100, deadline=None)
@given(contents=st.lists(st.binary(max_size=300), max_size=5), at_once=st.integers(1, 400))
def test_fields_gives_back_what_a_library_wrote(contents: list[bytes], at_once: int) -> None:
    files = [("images", ("a", content)) for content in contents]
    request = httpx.Request("POST", "http://x", files=files or [("other", b"")])
    kind = request.headers["content-type"].encode()
    assert fields(kind, request.read(), b"images", at_once=at_once) == contents


PIECES = [b"--x", b"--", b"\r\n", b"\n", b"data", b": ", PART, PART[3:], b"--x--", b"\r\n--x--"]


@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12), at_once=st.integers(1, 60))
def test_fields_are_the_same_however_they_arrive(pieces: list[bytes], at_once: int) -> None:
    """From the first boundary on, because python-multipart accepts a preamble only in one chunk."""

    def outcome(size: int) -> object:
        try:
            return fields(KIND, b"--x" + b"".join(pieces), b"image", at_once=size)
        except Refusal as refusal:
            return str(refusal)

    assert outcome(at_once) == outcome(1_000_000)


@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_fields_are_refused_or_hold_no_boundary(pieces: list[bytes]) -> None:
    try:
        found = fields(KIND, b"".join(pieces), b"image")
    except Refusal:
        return
    delimiters = (b"\r\n--x\r\n", b"\r\n--x--")
    assert not any(delimiter in content for content in found for delimiter in delimiters)
