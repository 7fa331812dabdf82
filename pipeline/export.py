"""A Keras or ONNX model as a model folder: `python -m pipeline.export MODEL.keras|.h5|.onnx FOLDER`.

Then `MODEL_DIR=FOLDER make serve` serves it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
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
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help="a file that model.save() or torch.onnx.export() wrote"
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the model folder to write")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument(
        "--full-ink",
        type=float,
        choices=(1, 255),
        help="what full ink was in its training (default of Keras: 255 if the model scales its input itself, "
        "else 1; of ONNX: what reads the validation digits best)",
    )
    scale.add_argument(
        "--normalised",
        type=float,
        nargs=2,
        metavar=("MEAN", "DEVIATION"),
        help="of an ONNX model: what was taken off ink of 0 to 1 in its training, and what divided that",
    )
    options = parser.parse_args()
    try:
        if options.model.suffix == ".onnx":
            export_onnx(options.model, options.folder, options.full_ink, options.normalised)
        else:
            export(options.model, options.folder, options.full_ink)
    except (PipelineError, ModelError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


def export(path: Path, folder: Path, full_ink: float | None = None) -> None:
    """Write a person's own Keras model as a model folder, and tell how good it is where there are digits."""
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
    other = 256 - full_ink
    _tell(folder, samples, f"was it trained with full ink = {other:g}? Try --full-ink {other:g}")


def export_onnx(
    path: Path, folder: Path, full_ink: float | None = None, normalised: Sequence[float] | None = None
) -> None:
    """Write a person's own ONNX model as a model folder: its layout and scale are told apart by trying."""
    from pipeline.registry import onnx_file, own_onnx

    samples = _samples()
    known = None
    if full_ink is not None:
        known = own_onnx.Scale.of_full_ink(full_ink)
    elif normalised is not None:
        known = own_onnx.Scale(*normalised)
    adapted = own_onnx.adapt(onnx_file.load(path), known, samples if samples.total > NOISE else None)
    manifest = own_onnx.write_folder(adapted.model, folder)
    print(f"export: {folder} holds {path.name} ({adapted}, {manifest.sha256[:12]})")
    if known is None and samples.total <= NOISE:
        print("export: its scale is a guess: `dvc repro preprocess` makes digits to try it on")
    _tell(folder, samples, "was it trained with another scale? Try --normalised MEAN DEVIATION")


def _tell(folder: Path, samples: Digits, advice: str) -> None:
    """Say how many of the validation digits a model folder reads, and what to do where that is little."""
    if samples.total <= NOISE:
        return
    right = answers(Model.load(folder), samples).figures()["accuracy"]
    print(f"export: it reads {right:.2%} of the validation digits")
    if right < DOUBTFUL:
        print(f"export: that is little; {advice}")


def _samples() -> Digits:
    """The validation digits, where `preprocess` has run; else a few pictures of noise."""
    try:
        return Digits.load(PROCESSED, "validation")
    except DataError:
        noise = np.random.default_rng(0).integers(0, 256, (NOISE, FIELD, FIELD), np.uint8)
        return Digits(noise, np.zeros(len(noise), np.uint8))


if __name__ == "__main__":
    sys.exit(main())
