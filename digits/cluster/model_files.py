"""A model folder as bytes, so that the machines of a cluster need no shared path for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from digits.network.model import MANIFEST, Manifest
from digits.reader import Reader


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The content of a model's manifest, and the name and content of the network's file."""

    manifest: bytes
    name: str
    network: bytes

    @classmethod
    def of(cls, folder: Path) -> ModelFiles:
        """Read a model folder; raises `ModelError` if it cannot be loaded."""
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
