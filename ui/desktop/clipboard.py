"""A picture from the clipboard: by Tk under X11, else by Pillow (Windows, macOS, Wayland)."""

from __future__ import annotations

import os
import tkinter as tk
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageGrab

from ui.text import WINDOW


class NothingToPaste(Exception):
    """There is no picture on the clipboard, or it cannot be read; the text is the message for the user."""


def pasted(root: tk.Misc) -> bytes:
    """The bytes of the picture on the clipboard; raises `NothingToPaste`."""
    if root.tk.call("tk", "windowingsystem") == "x11":
        try:
            return _bytes(root.clipboard_get(type="image/png"))
        except (tk.TclError, ValueError):  # no PNG; there may be another kind of picture
            pass
    try:
        grabbed = ImageGrab.grabclipboard()
    except NotImplementedError as error:  # neither xclip nor wl-paste, needed only without X11
        name = "no_clipboard" if os.environ.get("WAYLAND_DISPLAY") else "nothing_to_paste"
        raise NothingToPaste(WINDOW[name]) from error
    except (OSError, ValueError, SyntaxError) as error:  # the output of the helper is not a picture
        raise NothingToPaste(WINDOW["nothing_to_paste"]) from error
    if isinstance(grabbed, Image.Image):
        buffer = BytesIO()
        grabbed.save(buffer, "PNG")
        return buffer.getvalue()
    return _first_file(grabbed or [])


def _bytes(said: str) -> bytes:
    """Decode binary data, which Tk returns as "0x89 0x50 ..."; raises `ValueError` for anything else."""
    return bytes(int(part, 16) for part in said.split())


def _first_file(names: list[str]) -> bytes:
    """The content of the first readable file that was copied in a file manager; raises `NothingToPaste`."""
    for name in names:
        try:
            return Path(name).read_bytes()
        except OSError:
            continue
    raise NothingToPaste(WINDOW["nothing_to_paste"])
