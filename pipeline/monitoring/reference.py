"""A model's drift reference, which `evaluate` makes from validation digits redrawn on canvases."""

from __future__ import annotations

from digits.reader import Reader
from pipeline.mnist.dataset import Digits
from pipeline.monitoring.significance import critical_values
from pipeline.synthesis.canvas import canvases
from traffic.counts import Counts
from traffic.drift import LEVEL
from traffic.slots import REFERENCE_JSON, Reference


def reference(reader: Reader, validation: Digits, drawn: Counts, most: int, seed: int) -> str:
    """Return the drift reference of a reader's model as JSON.

    `drawn` counts the features of canvases with one digit and of lines with several. People send both kinds
    to `/read`, so the first `most` canvases are read like requests to `/read` and counted in addition.
    """
    counts = Counts.of(drawn.histograms)
    for _, canvas in canvases(validation.images[:most], seed):
        counts.add_reading(*reader.read_and_look(canvas), canvas.width * canvas.height)
    sha256 = reader.model.manifest.sha256
    made = Reference(sha256, counts.histograms, LEVEL, critical_values(LEVEL))
    return REFERENCE_JSON.dump_json(made).decode() + "\n"
