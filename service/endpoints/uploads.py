"""Uploads: a request's form, and a picture in it with the queue in which it waits."""

from __future__ import annotations

from starlette.requests import Request

from service.pictures.decode import PHOTO_PIXELS, Opened, opened
from service.pictures.form import Form
from service.pictures.png import PlainPng
from service.pictures.upload import SMALL, Body, header
from service.runtime.queues import Queue, Queues

QUICK_PIXELS = 512 * 512  # larger pictures would block the event loop for too long


async def form_of(request: Request, body: Body, *names: bytes) -> Form:
    """Read a request's form to its end, with the fields that have one of these names."""
    form = Form(header(request.scope, b"content-type"), *names)
    await body.pour(form.take)
    return form


async def picture_of(pieces: list[bytes], small: Queue, queues: Queues) -> tuple[Opened, Queue]:
    """A checked picture and the queue in which it waits.

    The queue is `small` for a plain PNG with few pixels, because no other file is sure to decode quickly. A
    large file is joined and checked on a thread.
    """
    if sum(map(len, pieces)) <= SMALL:
        picture = opened(b"".join(pieces))
    else:
        picture = await queues.photos.run(lambda: opened(b"".join(pieces)))
    pixels = picture.width * picture.height
    if pixels > PHOTO_PIXELS:
        return picture, queues.photos
    quick = isinstance(picture, PlainPng) and pixels <= QUICK_PIXELS
    return picture, small if quick else queues.side
