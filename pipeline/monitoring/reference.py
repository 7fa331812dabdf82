"""The reference that `evaluate` keeps of a model: validation digits, redrawn and read as the service does."""

from __future__ import annotations

from digits.reader import Reader
from pipeline.mnist.dataset import Digits
from pipeline.monitoring.significance import critical_values
from pipeline.synthesis.canvas import canvases
from traffic.counts import Counts
from traffic.drift import LEVEL
from traffic.slots import REFERENCE_JSON, Reference


def reference(reader: Reader, validation: Digits, drawn: Counts, most: int, seed: int) -> str:
    """The reference of a reader's model as JSON.

    `drawn`: what canvases of one digit and lines of several look like. To `/read` people send both, so the
    first `most` canvases are read as that does, too.
    """
    counts = Counts.of(drawn.histograms)
    for _, canvas in canvases(validation.images[:most], seed):
        counts.add_reading(*reader.read_and_look(canvas), canvas.width * canvas.height)
    sha256 = reader.model.manifest.sha256
    made = Reference(sha256, counts.histograms, LEVEL, critical_values(LEVEL))
    return REFERENCE_JSON.dump_json(made).decode() + "\n"
