"""Picture files: finding them, and the message if one cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import UnidentifiedImageError

_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def is_picture(name: str) -> bool:
    """Whether a file name has the extension of a picture."""
    return name.lower().endswith(_KINDS)


def files_in(folder: Path, wanted: Callable[[str], bool] = is_picture) -> Iterator[Path]:
    """The files in a folder and its subfolders whose names are `wanted`, sorted by path."""
    for path in sorted(folder.rglob("*")):
        if wanted(path.name) and path.is_file():
            yield path


def printable(name: str) -> str:
    """A file name as text that can be encoded as UTF-8, since a file name may be any bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def why_unread(error: Exception) -> str:
    """The message for any exception of Pillow's decoders. The same file always gets the same message."""
    if isinstance(error, FileNotFoundError):
        return "There is no such file."
    if isinstance(error, UnidentifiedImageError):  # its own message has the address of an object in memory
        return "It cannot be read as a picture (unknown file format)."
    if isinstance(error, OSError) and error.strerror:  # without the path, which the caller shows
        return f"It cannot be read as a picture ({error.strerror})."
    return f"It cannot be read as a picture ({error})."
