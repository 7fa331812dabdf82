"""A Keras model as a model folder: `python -m pipeline.export MODEL.keras|MODEL.h5 FOLDER`.

Then `MODEL_DIR=FOLDER make serve` serves it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from digits.errors import ModelError
from digits.network.contract import FIELD
from digits.network.model import Manifest, Model
from pipeline.evaluation.metrics import answers
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import DataError, PipelineError
from pipeline.project.paths import PROCESSED
from pipeline.project.runner import quiet_stderr

NOISE = 16  # pictures, where there are no digits to compare on
DOUBTFUL = 0.9  # a share of validation digits: less is no trained reader of digits, or another scale


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.export", description=__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that model.save() wrote")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the model folder to write")
    parser.add_argument(
        "--full-ink",
        type=float,
        choices=(1, 255),
        help="what full ink was in its training (default: 255 if it scales its input itself, else 1)",
    )
    options = parser.parse_args()
    try:
        export(options.model, options.folder, options.full_ink)
    except (PipelineError, ModelError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


def export(path: Path, folder: Path, full_ink: float | None = None) -> None:
    """Write a person's own model as a model folder, and tell how good it is where there are digits."""
    print("export: loading TensorFlow", flush=True)
    with quiet_stderr():
        from pipeline.registry.model_folder import write_folder
        from pipeline.registry.own_model import adapt, load_model, scales_itself

    own = load_model(path)
    full_ink = full_ink or (255.0 if scales_itself(own) else 1.0)
    model = adapt(own, full_ink)
    samples = _samples()
    manifest = write_folder(model, folder, samples.images, Manifest("", "", ""))
    print(f"export: {folder} holds {path.name} (full ink is {full_ink:g} to it, {manifest.sha256[:12]})")
    if samples.total > NOISE:
        right = answers(Model.load(folder), samples).figures()["accuracy"]
        print(f"export: it reads {right:.2%} of the validation digits")
        if right < DOUBTFUL:
            other = 256 - full_ink
            print(
                f"export: that is little; was it trained with full ink = {other:g}? Try --full-ink {other:g}"
            )


def _samples() -> Digits:
    """The validation digits, where `preprocess` has run; else a few pictures of noise."""
    try:
        return Digits.load(PROCESSED, "validation")
    except DataError:
        noise = np.random.default_rng(0).integers(0, 256, (NOISE, FIELD, FIELD), np.uint8)
        return Digits(noise, np.zeros(len(noise), np.uint8))


if __name__ == "__main__":
    sys.exit(main())
