from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ui.desktop.settings import is_dark, keep, settings_file


def test_choice_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "window.json"
    assert not is_dark(path)
    keep(path, dark=True)
    assert is_dark(path)
    keep(path, dark=False)
    assert not is_dark(path)


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b'{"theme": 3}', b"\xff"])
def test_damaged_file_means_light(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "window.json"
    path.write_bytes(content)
    assert not is_dark(path)


def test_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keep(tmp_path / "file" / "window.json", dark=True)


@pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="these have folders of their own for settings"
)
def test_file_lies_where_the_system_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_file() == tmp_path / "digits" / "window.json"
