"""The window's light and dark colours, which are those of the page (canvas/look.css)."""

from __future__ import annotations

import tkinter as tk
from dataclasses import dataclass
from tkinter import ttk


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as "#rrggbb"; text has a contrast ratio of at least 4.5:1 (WCAG AA)."""

    ground: str
    button: str
    paper: str
    ink: str
    text: str
    soft: str
    accent: str
    on_accent: str
    pressed: str
    """Background of the main button under the pointer."""
    track: str
    """Background of the bars and of buttons under the pointer; colour of borders."""


LIGHT = Theme(
    ground="#f4f5f8",
    button="#ffffff",
    paper="#ffffff",
    ink="#000000",
    text="#171a21",
    soft="#565d6d",
    accent="#3450c8",
    on_accent="#ffffff",
    pressed="#2a41a5",
    track="#e3e6ee",
)
DARK = Theme(
    ground="#0e1116",
    button="#171b22",
    paper="#12161c",
    ink="#ffffff",
    text="#e9ecf2",
    soft="#a3abba",
    accent="#9db0ff",
    on_accent="#10142a",
    pressed="#b7c4ff",
    track="#242a35",
)


def use(theme: Theme, root: tk.Misc) -> None:
    """Give all buttons of a window the theme's colours."""
    style = ttk.Style(root)
    style.theme_use("clam")  # the same on every system, and its colours can be set
    edges = {"bordercolor": theme.track, "lightcolor": theme.button, "darkcolor": theme.button}
    for name in ("TButton", "Toolbutton"):
        style.configure(
            name,
            background=theme.button,
            foreground=theme.text,
            focuscolor=theme.accent,
            padding=(12, 6),
            relief="flat",
            **edges,
        )
        style.map(
            name,
            background=[("selected", theme.accent), ("active", theme.track), ("disabled", theme.ground)],
            foreground=[("selected", theme.on_accent), ("disabled", theme.soft)],
            bordercolor=[("focus", theme.accent)],
        )
    style.configure(
        "Main.TButton",
        background=theme.accent,
        foreground=theme.on_accent,
        focuscolor=theme.on_accent,
        bordercolor=theme.accent,
        lightcolor=theme.accent,
        darkcolor=theme.accent,
    )
    style.map("Main.TButton", background=[("active", theme.pressed)], bordercolor=[("focus", theme.text)])
