"""Make the champion the default model that comes with the project: `make default-model`.

The command writes four files to digits/default: the champion's ONNX file, its manifest with the version
"default" and its training parameters, its model card, and its drift reference. Commit all four.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from digits.errors import ModelError
from digits.network.model import MANIFEST, Model
from digits.reader import CARD, DEFAULT_MODEL
from pipeline.evaluation.card import card_html
from pipeline.mnist.accepted import learnt, write_learnt
from pipeline.project.errors import PipelineError
from pipeline.project.files import write_bytes, write_text
from pipeline.project.paths import NAME, champion
from pipeline.registry import cards, runs, versions
from traffic.slots import REFERENCE

FILE = "digits.onnx"
LARGEST = 2**20  # bytes of the ONNX file, which is in git and in every installation
VERSION = "default"


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.default_model", description=__doc__).parse_args()
    try:
        write_default_model()
    except (ModelError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{DEFAULT_MODEL} is now the current champion. Commit it.")
    return 0


def write_default_model() -> None:
    """Copy the champion; raises `ModelError` if there is none, or if it is too large."""
    manifest = Model.load(champion()).manifest
    content = (champion() / manifest.file).read_bytes()
    if len(content) > LARGEST:
        raise ModelError(f"The champion has {len(content)} bytes, but the limit is {LARGEST}.")
    write_bytes(DEFAULT_MODEL / FILE, content)
    write_learnt(DEFAULT_MODEL, learnt(champion()))
    client = runs.connect()
    default = replace(manifest, file=FILE, version=VERSION)
    with versions.artifacts_of(client, client.get_model_version(NAME, manifest.version)) as artifacts:
        found = cards.evidence(client, default, artifacts / runs.REPORT)
        write_text(DEFAULT_MODEL / CARD, card_html(found, artifacts))
        cards.copy(artifacts, DEFAULT_MODEL, [REFERENCE])
    described = default.as_dict() | {"trained_with": dict(found.trained_with)}
    write_text(DEFAULT_MODEL / MANIFEST, json.dumps(described, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
