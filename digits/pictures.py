"""Files of pictures: which there are, and why one of them could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import UnidentifiedImageError

_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def is_picture(name: str) -> bool:
    """Whether a file's name says that it is a picture."""
    return name.lower().endswith(_KINDS)


def files_in(folder: Path, wanted: Callable[[str], bool] = is_picture) -> Iterator[Path]:
    """The files in a folder and below it whose names are wanted, by name."""
    for path in sorted(folder.rglob("*")):
        if wanted(path.name) and path.is_file():
            yield path


def shown(name: str) -> str:
    """A file's name as text that can be written as UTF-8: names of files may be any bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def why_unread(error: Exception) -> str:
    """The sentence for whatever Pillow's decoders raised: for one file always the same one."""
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, UnidentifiedImageError):  # its own text holds the place of an object in memory
        return "It cannot be read as a picture (of no kind that is known)."
    if isinstance(error, OSError) and error.strerror:  # without the path, which is said before it
        return f"It cannot be read as a picture ({error.strerror})."
    return f"It cannot be read as a picture ({error})."
