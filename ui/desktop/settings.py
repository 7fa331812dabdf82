"""The window's settings (only the theme), in a small JSON file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def settings_file() -> Path:
    """The path of the settings file in the system's usual folder, on Linux XDG_CONFIG_HOME or ~/.config."""
    if sys.platform == "win32":
        folder = os.environ.get("APPDATA") or Path.home()
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "digits" / "window.json"


def is_dark(path: Path) -> bool:
    """Whether the dark theme was chosen; False if the file is missing or cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get("theme") == "dark"


def keep(path: Path, *, dark: bool) -> None:
    """Save the theme; if the file cannot be written, the choice lasts until the window is closed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"theme": "dark" if dark else "light"}) + "\n", encoding="utf-8")
    except OSError:
        return
