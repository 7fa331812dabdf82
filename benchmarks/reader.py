"""The time of the reader and of its steps: `python -m benchmarks.reader [--model FOLDER]`.

The figures are medians of processor time on one core in milliseconds, which other work on the machine affects
little. Decoding is not part of the reader's time and is listed separately. For papers and photos, decoding
and reading together are compared with the unavoidable minimum: decoding, and for papers one call of the
network for all marks.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.ink.extraction import Darkness, Ink, find_darkness, find_ink
from digits.ink.layer import layer_of
from digits.ink.pixels import Picture
from digits.layout.atoms import atom_of
from digits.layout.components import find_pieces, main_group
from digits.layout.first_look import boxes_of, may_be_printed
from digits.layout.frames.search import find_frames
from digits.layout.grouping import settle
from digits.layout.page import Page, find_page
from digits.network.model import Model
from digits.network.network_input import field_of
from digits.reader import Reader, champion_or_default
from pipeline.synthesis.papers import Kind, make
from pipeline.synthesis.writers import PenWriter
from service.pictures.decode import decode

_PAPERS: tuple[Kind, ...] = ("page", "table", "sudoku")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=champion_or_default())
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader.load(options.model)
    few = max(5, options.calls // 20)
    _show_drawings(reader, options.calls, few)
    for kind in _PAPERS:
        _show_paper(f"read, {kind}", paper(kind), "PNG", reader, few)
    _show_paper("read, photo of a table, 12 megapixels", photo_of_a_table(), "JPEG", reader, few)


def _show_drawings(reader: Reader, calls: int, few: int) -> None:
    canvas = written("7", (400, 400), height=200, pen=18)
    line = written("20471396", (1200, 200), height=90, pen=8)
    pad = Image.merge("RGBA", [Image.new("L", (280, 280))] * 3 + [_inverted(canvas.resize((280, 280)))])
    photo = _photo(canvas)
    predicting, reading = _predict_steps(reader.model), _read_steps(reader.model)
    _show("predict, 400x400 canvas", canvas, predicting, reader.predict, calls)
    _show("predict, 280x280 transparent", pad, predicting, reader.predict, calls)
    _show("read, line of 8 digits", line, reading, reader.read, calls)
    _show("read, photo of 12 megapixels", photo, reading, reader.read, few)
    _show("explain, line of 8 digits", line, [], reader.explain, few)
    for name, content in (("canvas, PNG", encoded(canvas, "PNG")), ("photo, JPEG", encoded(photo, "JPEG"))):
        print(f"(decoding the {name}: {_spent_on(partial(decode, content), few):.2f} ms)")


@dataclass(frozen=True, slots=True)
class Step:
    """A timed step; `run` receives the result of the last step that `passes` on its result.

    A step that `includes` the previous one repeats its work, so the time of the previous one is subtracted.
    """

    name: str
    run: Callable[[Any], Any]
    includes: bool = False
    passes: bool = True


def _predict_steps(model: Model) -> list[Step]:
    return [
        Step("picture to one layer", layer_of, passes=False),
        Step("layer to ink", find_ink, includes=True),
        Step("ink to 28x28", _field),
        Step("network", lambda seen: model.classify(seen[None, ..., None])),
    ]


def _read_steps(model: Model) -> list[Step]:
    return [
        Step("picture to one layer", layer_of, passes=False),
        Step("layer to darkness", _darkness, includes=True),
        Step("printed lines", _frames, passes=False),
        Step("cells, ink, pieces, lines", find_page, includes=True),
        Step("28x28, network, division", partial(_settled, model)),
    ]


def _show(
    name: str, picture: Picture, steps: list[Step], whole: Callable[[Picture], object], calls: int
) -> float:
    """Print the median of the whole call and the share of each step, and return the former."""
    spent: list[list[float]] = [[] for _ in steps]
    wholes = []
    for _ in range(calls):  # in turns, so that all are measured under the same load
        wholes.append(_timed(partial(whole, picture))[0])
        value: Any = picture
        before = 0.0
        for times, step in zip(spent, steps, strict=True):
            took, result = _timed(partial(step.run, value))
            times.append(took - before if step.includes else took)
            before = took
            value = result if step.passes else value
    total = median(wholes)
    print(f"{name}: {total:.2f} ms")
    for times, step in zip(spent, steps, strict=True):
        print(f"    {step.name:26s} {median(times):7.2f} ms {median(times) / total:6.0%}")
    return total


def _show_paper(
    name: str, image: Image.Image, kind: Literal["PNG", "JPEG"], reader: Reader, calls: int
) -> None:
    """Print the steps for a paper, including decoding, and the total relative to the unavoidable minimum.

    The minimum is decoding for a photo, and decoding plus one call of the network for other papers.
    """
    content = encoded(image, kind)
    picture = decode(content)
    reading = _show(name, picture, _read_steps(reader.model), reader.read, calls)
    decoding = _spent_on(partial(decode, content), calls)
    seen = np.array([part.seen for part in reader.explain(picture)], np.float32)[..., None]
    network = _spent_on(lambda: reader.model.classify(seen), calls)
    print(f"    (decoding {decoding:.2f} ms; one network call for its {len(seen)} marks {network:.2f} ms)")
    least = decoding if kind == "JPEG" else decoding + network
    beside = "decoding" if kind == "JPEG" else "decoding and that call"
    print(f"    (decoded and read: {(decoding + reading) / least:.1f} times {beside})")


def encoded(image: Image.Image, kind: Literal["PNG", "JPEG"]) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=90)
    return stream.getvalue()


def _spent_on(call: Callable[[], object], calls: int) -> float:
    """The median time of several calls in milliseconds."""
    return median(_timed(call)[0] for _ in range(calls))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """The time of a call and its result."""
    started = time.thread_time()
    result = call()
    return 1000 * (time.thread_time() - started), result


def _field(ink: Ink) -> NDArray[np.float32] | None:
    pieces = find_pieces(ink.place, ink.rough)
    return field_of(atom_of(pieces, main_group(pieces), ink.strength).pixels)


def _darkness(picture: Picture) -> Darkness:
    return find_darkness(picture).finer()


def _frames(darkness: Darkness) -> object:
    if not darkness.rough and not may_be_printed(darkness, boxes_of(darkness)):
        return None
    return find_frames(darkness.dark.whole, darkness.least)


def _settled(model: Model, page: Page) -> object:
    return settle(model, [run for line in page.lines for run in line.runs])


def paper(kind: Kind) -> Image.Image:
    rng = np.random.default_rng([21, _PAPERS.index(kind)])
    return make(kind, PenWriter(rng), rng)[1]


def photo_of_a_table() -> Image.Image:
    """A table that is a part of a photo of 4000x3000 pixels."""
    rng = np.random.default_rng([21, 12])
    photo = make("table", PenWriter(rng), rng, photo=True, large=True)[1]
    return photo.resize((4000, 3000), Image.Resampling.BICUBIC)


def written(text: str, size: tuple[int, int], height: int, pen: int) -> Image.Image:
    """Digits in a stroke font, dark on white."""
    pixels = np.full(size[::-1], 255, np.uint8)
    scale = height / 21  # the Hershey font's digits are 21 pixels high at scale 1
    at = (size[0] // 8, (size[1] + height) // 2)
    for place, character in enumerate(text):
        left = at[0] + round(place * height * 1.2)
        cv2.putText(pixels, character, (left, at[1]), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, pen, cv2.LINE_AA)
    return Image.fromarray(pixels)


def _inverted(image: Image.Image) -> Image.Image:
    return Image.eval(image, lambda level: 255 - level)


def _photo(drawing: Image.Image) -> Image.Image:
    """The drawing as a photo of 4000x3000 pixels with uneven light and noise."""
    paper = Image.new("L", (400, 300), 255)
    paper.paste(drawing.resize((200, 200)), (100, 50))
    grey = np.asarray(paper.resize((4000, 3000), Image.Resampling.BICUBIC), np.float32)
    light = np.linspace(0.5, 0.9, 4000, dtype=np.float32)[None, :]
    noise = np.random.default_rng(0).normal(0, 4, grey.shape).astype(np.float32)
    pixels = np.clip(grey * light + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([pixels] * 3))


if __name__ == "__main__":
    main()
