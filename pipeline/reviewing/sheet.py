"""A contact sheet: many pictures in one PNG, each with its id, its label and the answer that was given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from feedback.record import Kept
from pipeline.reviewing.choice import SHORT
from pipeline.reviewing.own_file import own_file

MOST = 120  # pictures on a sheet
_COLUMNS = 10
_PICTURE = 128  # pixels, as are the next three
_LINE = 15
_GAP = 10
_CELL = (_PICTURE + _GAP, _PICTURE + 3 * _LINE + _GAP)
_LETTERS = 18  # characters that fit below a picture
_COLOURS = {"new": "#1d4ed8", "accepted": "#15803d", "dropped": "#6b7280"}
_PAPER = "#e5e7eb"
_SHADES = " .:-=+*#%@"  # from paper to ink
_LETTERS_WIDE = 48  # characters in a line of `in_letters`


def write_sheet(path: Path, kept: Sequence[Kept], folder: Path) -> None:
    """Write a sheet of these pictures, `MOST` at most, as a PNG that only its owner can read.

    The frame's colour and a word after the id show the state. Raises `FeedbackError` if the file cannot be
    written.
    """
    rows = max(1, -(-len(kept) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0] + _GAP, rows * _CELL[1] + _GAP), "white")
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for place, one in enumerate(kept):
        row, column = divmod(place, _COLUMNS)
        left, top = _GAP + column * _CELL[0], _GAP + row * _CELL[1]
        frame = (left - 2, top - 2, left + _PICTURE + 1, top + _PICTURE + 1)
        drawing.rectangle(frame, _PAPER, _COLOURS[one.state], 2)
        picture = small(one.picture(folder))
        if picture is None:
            drawing.text((left + 4, top + 4), "cannot be read", "#b91c1c", font)
        else:
            at = (left + (_PICTURE - picture.width) // 2, top + (_PICTURE - picture.height) // 2)
            sheet.paste(picture, at)
        for line, (text, colour) in enumerate(_below(one)):
            drawing.text((left, top + _PICTURE + 2 + line * _LINE), text, colour, font)
    with own_file(path) as temporary:
        sheet.save(temporary, "PNG")


def small(path: Path) -> Image.Image | None:
    """Return the picture on white, its longer side `_PICTURE` pixels; None if it cannot be read."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (_PICTURE, _PICTURE))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception:  # Pillow's decoders raise many kinds of exceptions
        return None
    scaled = upright.resize(scaled_by(upright.size, _PICTURE / max(upright.size)))
    white = Image.new("RGBA", scaled.size, "white")
    return Image.alpha_composite(white, scaled).convert("RGB")


def in_letters(path: Path) -> str:
    """Return the picture as ASCII art for a terminal; dense characters stand for dark pixels."""
    picture = small(path)
    if picture is None:
        return "(cannot be read)"
    width, _ = scaled_by(picture.size, _LETTERS_WIDE / _PICTURE)
    _, height = scaled_by(picture.size, _LETTERS_WIDE / _PICTURE / 2)  # characters are twice as high as wide
    shades = picture.convert("L").resize((width, height)).tobytes()
    letters = "".join(_SHADES[(255 - shade) * (len(_SHADES) - 1) // 255] for shade in shades)
    return "\n".join(letters[start : start + width] for start in range(0, len(letters), width))


def scaled_by(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return the size scaled by `factor`, at least one pixel each way."""
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _below(one: Kept) -> list[tuple[str, str]]:
    return [
        (f"{one.id[:SHORT]} {one.state}", _COLOURS[one.state]),
        (_cut(f"is {on_one_line(one.label)}"), "black"),
        (_cut(f"read {on_one_line(one.answer)}"), "black"),
    ]


def on_one_line(text: str) -> str:
    """Return a label or an answer on one line, with spaces for underscores; "nothing" if it is empty."""
    return text.replace("\n", " / ").replace("_", " ") or "nothing"


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
