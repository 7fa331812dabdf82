"""Write a file of people's pictures that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedback.errors import FeedbackError
from pipeline.project.files import atomic_write


@contextmanager
def own_file(path: Path) -> Iterator[Path]:
    """Yield an empty file that is renamed to `path` at the end; raises `FeedbackError` if writing fails."""
    try:
        with atomic_write(path) as temporary:
            temporary.touch(0o600)
            yield temporary
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise FeedbackError(f"{path} cannot be written ({reason}). Choose another place.") from error
