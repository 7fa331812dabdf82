"""Offers a file as image/png on the X11 clipboard, as a program does in which a picture was copied."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path

SELECTION_REQUEST, SELECTION_NOTIFY = 30, 31

Window = Atom = Time = ctypes.c_ulong


class Request(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("owner", Window),
        ("requestor", Window),
        ("selection", Atom),
        ("target", Atom),
        ("property", Atom),
        ("time", Time),
    )


class Notice(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("requestor", Window),
        ("selection", Atom),
        ("target", Atom),
        ("property", Atom),
        ("time", Time),
    )


class Event(ctypes.Union):
    _fields_ = (
        ("type", ctypes.c_int),
        ("request", Request),
        ("notice", Notice),
        ("room", ctypes.c_long * 24),
    )


def main() -> None:
    name = ctypes.util.find_library("X11")
    if name is None:
        print("no X11", flush=True)
        return
    x11 = ctypes.CDLL(name)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = x11.XCreateSimpleWindow.restype = ctypes.c_ulong
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    root = Window(x11.XDefaultRootWindow(display))
    window = Window(x11.XCreateSimpleWindow(display, root, 0, 0, 1, 1, 0, Window(0), Window(0)))
    clipboard, png = (Atom(x11.XInternAtom(display, name, 0)) for name in (b"CLIPBOARD", b"image/png"))
    x11.XSetSelectionOwner(display, clipboard, window, Time(0))
    x11.XSync(display, 0)
    print("ready", flush=True)
    content = Path(sys.argv[1]).read_bytes()
    event = Event()
    while True:
        x11.XNextEvent(display, ctypes.byref(event))
        if event.type == SELECTION_REQUEST:
            answer(x11, display, event.request, png, content)


def answer(
    x11: ctypes.CDLL, display: ctypes.c_void_p, asked: Request, png: ctypes.c_ulong, content: bytes
) -> None:
    given = asked.property if asked.target == png.value else 0
    if given:
        where = Window(asked.requestor), Atom(given), Atom(asked.target)
        x11.XChangeProperty(display, *where, 8, 0, content, len(content))
    event = Event()
    event.notice = Notice(
        SELECTION_NOTIFY,
        0,
        1,
        display,
        asked.requestor,
        asked.selection,
        asked.target,
        given,
        asked.time,
    )
    x11.XSendEvent(display, Window(asked.requestor), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XFlush(display)


if __name__ == "__main__":
    main()
