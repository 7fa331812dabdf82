"""Export your own Keras or ONNX model: `python -m pipeline.export MODEL.keras|.h5|.onnx FOLDER`.

FOLDER is a model folder, which `MODEL_DIR=FOLDER make serve` serves.
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

NOISE = 16  # pictures of noise, if there are no digits to compare on
DOUBTFUL = 0.9  # a lower accuracy suggests an untrained model or a wrong scale


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
        help="value of full ink in its training (default for Keras: 255 if the model scales its input, "
        "otherwise 1; default for ONNX: the value with the lowest loss on the validation digits)",
    )
    scale.add_argument(
        "--normalised",
        type=float,
        nargs=2,
        metavar=("MEAN", "DEVIATION"),
        help="for ONNX: mean and deviation by which ink of 0 to 1 was normalised in its training",
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
    """Export a user's Keras model to a model folder, and print its accuracy on the validation digits."""
    print("export: loading TensorFlow", flush=True)
    with quiet_stderr():
        from pipeline.registry.model_folder import write_folder
        from pipeline.registry.own_model import adapt, load_model, scales_itself

    own = load_model(path)
    full_ink = full_ink or (255.0 if scales_itself(own) else 1.0)
    model = adapt(own, full_ink)
    samples = _samples()
    manifest = write_folder(model, folder, samples.images, Manifest("", "", ""))
    print(f"export: {folder} has {path.name} (full ink is {full_ink:g}, {manifest.sha256[:12]})")
    other = 1.0 if full_ink == 255 else 255.0
    _tell(folder, samples, f"was the model trained with full ink = {other:g}? Try --full-ink {other:g}")


def export_onnx(
    path: Path, folder: Path, full_ink: float | None = None, normalised: Sequence[float] | None = None
) -> None:
    """Export a user's ONNX model to a model folder; its layout and scale are found by trying."""
    from pipeline.registry import onnx_file, own_onnx

    samples = _samples()
    known = None
    if full_ink is not None:
        known = own_onnx.Scale.of_full_ink(full_ink)
    elif normalised is not None:
        known = own_onnx.Scale(*normalised)
    adapted = own_onnx.adapt(onnx_file.load(path), known, samples if samples.total > NOISE else None)
    manifest = own_onnx.write_folder(adapted.model, folder)
    print(f"export: {folder} has {path.name} ({adapted}, {manifest.sha256[:12]})")
    if known is None and samples.total <= NOISE:
        print("export: its scale is a guess; to test it, run `dvc repro preprocess` and export again")
    _tell(folder, samples, "was the model trained with another scale? Try --normalised MEAN DEVIATION")


def _tell(folder: Path, samples: Digits, advice: str) -> None:
    """Print a model folder's accuracy on the validation digits, and advice if it is low."""
    if samples.total <= NOISE:
        return
    right = answers(Model.load(folder), samples).figures()["accuracy"]
    print(f"export: the model reads {right:.2%} of the validation digits correctly")
    if right < DOUBTFUL:
        print(f"export: that is low; {advice}")


def _samples() -> Digits:
    """Return the validation digits if `preprocess` has run, otherwise a few pictures of noise."""
    try:
        return Digits.load(PROCESSED, "validation")
    except DataError:
        noise = np.random.default_rng(0).integers(0, 256, (NOISE, FIELD, FIELD), np.uint8)
        return Digits(noise, np.zeros(len(noise), np.uint8))


if __name__ == "__main__":
    sys.exit(main())
