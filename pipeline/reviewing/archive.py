"""Feedback as one ZIP file: for whoever wants to see all that is kept, or take it elsewhere."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from feedback.errors import FeedbackError
from feedback.record import Kept, as_json
from pipeline.reviewing.own_file import own_file


def export(path: Path, kept: Sequence[Kept], folder: Path) -> None:
    """Write these pictures and their JSON files into a new ZIP file that only its owner can read.

    Raises `FeedbackError` where there is such a file already, or it cannot be written.
    """
    if path.exists():
        raise FeedbackError(f"{path} exists already: choose another name, or remove it first.")
    with (
        own_file(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):  # pictures are packed already
        for one in kept:
            archive.write(one.picture(folder), one.file)
            archive.writestr(f"{one.id}.json", as_json(one))
