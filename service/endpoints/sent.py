"""What a request sends: its form, and a picture in it with the queue that it waits in."""

from __future__ import annotations

from starlette.requests import Request

from service.pictures.decode import PHOTO_PIXELS, Opened, opened
from service.pictures.form import Form
from service.pictures.png import PlainPng
from service.pictures.upload import SMALL, Body, header
from service.runtime.queues import Queue, Queues

QUICK_PIXELS = 512 * 512  # more hold up the event loop for too long


async def form_of(request: Request, body: Body, *names: bytes) -> Form:
    """The form that a request holds, with its fields of these names, read to its end."""
    form = Form(header(request.scope, b"content-type"), *names)
    await body.pour(form.take)
    return form


async def picture_of(pieces: list[bytes], small: Queue, queues: Queues) -> tuple[Opened, Queue]:
    """A picture that has been looked through, and its queue.

    That is `small` for few pixels in a plain PNG: it alone is sure to decode at once. A large file is
    put together on a thread.
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
