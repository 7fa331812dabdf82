"""Scans as people keep them: loose, in a zip archive and in tar archives, one of them broken."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from tests.behaviour.drawing import drawing, picture

ARCHIVES = ("märz 1.zip", "april.tar", "more/mai.tar.gz")


def png(text: str) -> bytes:
    """A small picture of a number."""
    size = (60 + 70 * len(text), 120)
    stream = io.BytesIO()
    picture(drawing(text, size=size, box=70, at=(30, 25), pen=6, step=1.3)).save(stream, "PNG")
    return stream.getvalue()


def page() -> bytes:
    """A page that takes some time to read: lines of numbers."""
    lines = [drawing("2047", (1400, 160), box=80, at=(60 + 90 * k, 40), pen=6, step=1.4) for k in range(8)]
    stream = io.BytesIO()
    picture(np.concatenate(lines)).save(stream, "PNG")
    return stream.getvalue()


def write_scans(folder: Path, *, unpacked: bool = False) -> None:
    """Sixty pictures, 19 of them in archives, and a broken one; `unpacked`: with folders for the archives."""
    (folder / "more").mkdir(parents=True)
    for number in range(21):
        (folder / f"{number}.png").write_bytes(png(str(number * 37)))
        (folder / "more" / f"Übung {number}.PNG").write_bytes(png(str(number * 53)))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    for place, name in enumerate(ARCHIVES):
        held = {f"blätter/{number} a.png": png(str(number * 71 + place)) for number in range(6)}
        if unpacked:
            for inner, content in held.items():
                path = folder / name / inner
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        else:
            write_archive(folder / name, held)


def write_archive(path: Path, held: dict[str, bytes]) -> None:
    """Write an archive in the format that its suffix names."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in held.items():
                archive.writestr(name, content)
        return
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in held.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
