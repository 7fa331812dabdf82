"""Make the model that comes with the project from the champion: `make default-model`.

It writes digits/default: the ONNX file of the champion, and its manifest as version "default", with the
parameters of its training. Commit both.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from digits.errors import ModelError
from digits.network.model import MANIFEST, Model
from digits.reader import DEFAULT_MODEL
from pipeline.project.files import write_bytes, write_text
from pipeline.project.paths import champion
from pipeline.registry import runs

FILE = "digits.onnx"
LARGEST = 2**20  # bytes of the ONNX file: it is in git, and in every installation
VERSION = "default"


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.default_model", description=__doc__).parse_args()
    try:
        write_default_model()
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{DEFAULT_MODEL} is now the present champion: commit it.")
    return 0


def write_default_model() -> None:
    """Copy the champion; raises `ModelError` where there is none, or it is too large."""
    manifest = Model.load(champion()).manifest
    content = (champion() / manifest.file).read_bytes()
    if len(content) > LARGEST:
        raise ModelError(f"The champion has {len(content)} bytes; the default model may have {LARGEST}.")
    write_bytes(DEFAULT_MODEL / FILE, content)
    trained_with = runs.connect().get_run(manifest.run_id).data.params
    default = replace(manifest, file=FILE, version=VERSION).as_dict() | {"trained_with": trained_with}
    write_text(DEFAULT_MODEL / MANIFEST, json.dumps(default, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
