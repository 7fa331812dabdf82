from __future__ import annotations

from pathlib import Path

import pytest

from digits.reader import Reader


@pytest.fixture(scope="session")
def reader(model_folder: Path) -> Reader:
    """A reader with a trained model."""
    return Reader.load(model_folder)
