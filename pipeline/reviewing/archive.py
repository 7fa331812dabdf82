"""Export feedback as one ZIP file, to inspect it or to move it elsewhere."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from feedback.errors import FeedbackError
from feedback.record import Kept, as_json
from pipeline.reviewing.own_file import own_file


def export(path: Path, kept: Sequence[Kept], folder: Path) -> None:
    """Write these pictures and their JSON files into a new ZIP file that only its owner can read.

    Raises `FeedbackError` if the file exists already or cannot be written.
    """
    if path.exists():
        raise FeedbackError(f"{path} exists already. Choose another name, or remove it first.")
    with (
        own_file(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):  # not compressed, because the pictures are already
        for one in kept:
            archive.write(one.picture(folder), one.file)
            archive.writestr(f"{one.id}.json", as_json(one))
