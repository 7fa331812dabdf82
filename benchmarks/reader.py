"""How long the reader takes, and where the time goes: `python -m benchmarks.reader [--model FOLDER]`.

Medians of processor time on one core, in milliseconds: other work on the machine counts little.
Decoding is no part of the reader's time and is listed apart.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.ink.extraction import Ink, find_ink
from digits.ink.layer import layer_of
from digits.layout.components import find_pieces, main_group
from digits.layout.grouping import settle
from digits.layout.lines import atom_of, find_lines
from digits.network.model import Model
from digits.network.network_input import field_of
from digits.reader import Reader, champion_or_default
from service.pictures.decode import decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=champion_or_default())
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader.load(options.model)
    canvas = _written("7", (400, 400), height=200, pen=18)
    line = _written("20471396", (1200, 200), height=90, pen=8)
    pad = Image.merge("RGBA", [Image.new("L", (280, 280))] * 3 + [_inverted(canvas.resize((280, 280)))])
    photo = _photo(canvas)
    _show("predict, 400x400 canvas", canvas, _predict_steps(reader.model), reader.predict, options.calls)
    _show("predict, 280x280 transparent", pad, _predict_steps(reader.model), reader.predict, options.calls)
    _show("read, line of 8 digits", line, _read_steps(reader.model), reader.read, options.calls)
    few = max(5, options.calls // 20)
    _show("read, photo of 12 megapixels", photo, _read_steps(reader.model), reader.read, few)
    _show("explain, line of 8 digits", line, [], reader.explain, few)
    for name, image, kind in (("canvas", canvas, "PNG"), ("photo", photo, "JPEG")):
        stream = io.BytesIO()
        image.save(stream, kind)
        content = stream.getvalue()
        spent = _median(partial(decode, content), few)
        print(f"(decoding the {name}, {kind}: {spent:.2f} ms)")


Step = tuple[str, Callable[[Any], Any]]  # each takes what the one before it gives


def _predict_steps(model: Model) -> list[Step]:
    return [
        ("picture to one layer", layer_of),
        ("layer to ink", find_ink),
        ("ink to 28x28", _field),
        ("network", lambda seen: model.classify(seen[None, ..., None])),
    ]


def _read_steps(model: Model) -> list[Step]:
    return [
        ("picture to one layer", layer_of),
        ("layer to ink", find_ink),
        ("ink to pieces and lines", lambda ink: find_lines(find_pieces(ink.place, ink.rough), ink.strength)),
        ("28x28, network, division", lambda found: settle(model, [run for line in found for run in line])),
    ]


def _field(ink: Ink) -> NDArray[np.float32] | None:
    pieces = find_pieces(ink.place, ink.rough)
    return field_of(atom_of(pieces, main_group(pieces), ink.strength).pixels)


def _show(
    name: str, image: Image.Image, steps: list[Step], whole: Callable[[Image.Image], object], calls: int
) -> None:
    """Print the median of the whole call and the share of each step in it."""
    total = _median(lambda: whole(image), calls)
    print(f"{name}: {total:.2f} ms")
    value: Any = image
    before = 0.0
    for place, (step, run) in enumerate(steps):
        spent = _median(partial(run, value), calls)
        if place < 2:  # `find_ink` begins with the picture again: its first part is taken off
            spent, before = spent - before, spent
        print(f"    {step:26s} {spent:7.2f} ms {spent / total:6.0%}")
        value = run(value) if place else value


def _median(call: Callable[[], object], calls: int) -> float:
    spent = []
    for _ in range(calls):
        started = time.thread_time()
        call()
        spent.append(1000 * (time.thread_time() - started))
    return median(spent)


def _written(text: str, size: tuple[int, int], height: int, pen: int) -> Image.Image:
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
    """The drawing as a photo of 4000x3000 pixels with falling light and noise."""
    paper = Image.new("L", (400, 300), 255)
    paper.paste(drawing.resize((200, 200)), (100, 50))
    grey = np.asarray(paper.resize((4000, 3000), Image.Resampling.BICUBIC), np.float32)
    light = np.linspace(0.5, 0.9, 4000, dtype=np.float32)[None, :]
    noise = np.random.default_rng(0).normal(0, 4, grey.shape).astype(np.float32)
    pixels = np.clip(grey * light + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack([pixels] * 3))


if __name__ == "__main__":
    main()
