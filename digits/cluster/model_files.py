"""A model folder as bytes that travel: machines of a cluster need no path in common for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from digits.network.model import MANIFEST, Manifest
from digits.reader import Reader


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The manifest of a model, and the network's file under the name that the manifest has for it."""

    manifest: bytes
    name: str
    network: bytes

    @classmethod
    def of(cls, folder: Path) -> ModelFiles:
        """A model folder's; raises `ModelError` where it cannot be served."""
        Reader.load(folder)
        name = Manifest.load(folder).file
        return cls((folder / MANIFEST).read_bytes(), name, (folder / name).read_bytes())

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.manifest + self.network).hexdigest()

    def reader(self) -> Reader:
        with TemporaryDirectory(prefix="digits-") as folder:
            Path(folder, MANIFEST).write_bytes(self.manifest)
            Path(folder, self.name).write_bytes(self.network)
            return Reader.load(Path(folder))
