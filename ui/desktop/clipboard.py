"""A picture from the clipboard: by Tk where it can (X11), else by Pillow (Windows, macOS, Wayland)."""

from __future__ import annotations

import os
import tkinter as tk
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageGrab

from ui.text import WINDOW


class NothingToPaste(Exception):
    """There is no picture on the clipboard, or none that can be got; the text is a sentence."""


def pasted(root: tk.Misc) -> bytes:
    """The bytes of the picture on the clipboard; raises `NothingToPaste`."""
    if root.tk.call("tk", "windowingsystem") == "x11":
        try:
            return _bytes(root.clipboard_get(type="image/png"))
        except (tk.TclError, ValueError):  # there is no PNG: another kind of picture, or none
            pass
    try:
        grabbed = ImageGrab.grabclipboard()
    except NotImplementedError as error:  # neither xclip nor wl-paste; X11 needs none, since Tk has looked
        name = "no_clipboard" if os.environ.get("WAYLAND_DISPLAY") else "nothing_to_paste"
        raise NothingToPaste(WINDOW[name]) from error
    except (OSError, ValueError, SyntaxError) as error:  # what its helper gave is no picture
        raise NothingToPaste(WINDOW["nothing_to_paste"]) from error
    if isinstance(grabbed, Image.Image):
        buffer = BytesIO()
        grabbed.save(buffer, "PNG")
        return buffer.getvalue()
    return _first_file(grabbed or [])


def _bytes(said: str) -> bytes:
    """Tk gives what is no text as "0x89 0x50 ..."; raises `ValueError` for anything else."""
    return bytes(int(part, 16) for part in said.split())


def _first_file(names: list[str]) -> bytes:
    """Files that were copied in a file manager."""
    for name in names:
        try:
            return Path(name).read_bytes()
        except OSError:
            continue
    raise NothingToPaste(WINDOW["nothing_to_paste"])
