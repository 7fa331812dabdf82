"""Open the desktop window: `python -m ui.desktop`, or `--local` to read without the service."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import astuple
from io import BytesIO
from pathlib import Path

from PIL import Image

from ui.client import Mark, Number, Reading, Service, ServiceError, service_url
from ui.desktop.latest import Read
from ui.desktop.settings import settings_file
from ui.text import WINDOW

_OLDEST_TK = 8.6  # the first version that reads PNGs


def local_read(folder: Path) -> Read:
    """A `Read` that runs in this process, with a model folder; raises `digits.ModelError`."""
    from digits import (
        DigitsError,
        Reader,
    )  # imported late, because with a service the window needs no onnxruntime

    reader = Reader.load(folder)

    def read(picture: bytes) -> Reading:
        try:
            with Image.open(BytesIO(picture)) as image:
                found = reader.read(image)
        except (DigitsError, OSError, Image.DecompressionBombError) as error:
            raise ServiceError(WINDOW["unreadable"], "unreadable", 422) from error
        numbers = tuple(Number(*astuple(number)) for number in found.numbers)
        return Reading(found.text, numbers, tuple(Mark(*astuple(mark)) for mark in found.digits), found.model)

    return read


def open_window(read: Read, note: str) -> str | None:
    """Show the window until it is closed; returns an error message if it could not be opened."""
    try:
        import tkinter
    except ImportError:
        return WINDOW["no_tk"]
    if tkinter.TkVersion < _OLDEST_TK:
        return WINDOW["old_tk"].format(version=tkinter.TkVersion)
    try:
        root = tkinter.Tk(className="Digits")
    except tkinter.TclError:
        return WINDOW["no_display"]
    from ui.desktop.window import Window

    Window(root, read, settings_file(), note)
    root.mainloop()
    return None


def main() -> int:
    """Parse the arguments, open the window and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ui.desktop", description=__doc__)
    parser.add_argument(
        "--local", action="store_true", help="read in this process, with the champion, instead of the service"
    )
    parser.add_argument("--model", type=Path, help="like --local, with the model in this folder")
    options = parser.parse_args()
    if options.local or options.model:
        from digits import DigitsError, champion_or_default

        try:
            read = local_read(options.model or champion_or_default())
        except DigitsError as error:
            print(error, file=sys.stderr)
            return 2
        sentence = open_window(read, WINDOW["local"])
    else:
        url = service_url()
        with Service(url, os.environ.get("API_KEY", "")) as service:
            sentence = open_window(service.read, url)
    if sentence:
        print(sentence, file=sys.stderr)
    return 2 if sentence else 0


if __name__ == "__main__":
    sys.exit(main())
