"""Strokes as a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ui.desktop.drawing import BRUSH, HEIGHT, WIDTH, Drawing, save


def drawn() -> Drawing:
    drawing = Drawing()
    drawing.begin((100, 100))
    drawing.extend((100, 300))
    return drawing


def test_sheet_starts_blank_and_white() -> None:
    drawing = Drawing()
    assert drawing.is_blank
    assert drawing.image().getextrema() == (255, 255)
    assert drawing.image().size == (WIDTH, HEIGHT)


def test_stroke_is_black_where_it_went_and_as_wide_as_the_brush() -> None:
    pixels = np.asarray(drawn().image())
    assert pixels[200, 100] == 0
    assert pixels[200, 100 + BRUSH] == 255
    assert abs(int((pixels[200] < 128).sum()) - BRUSH) <= 1


def test_stroke_has_round_ends() -> None:
    pixels = np.asarray(drawn().image())
    assert pixels[100 - BRUSH // 2 + 2, 100] < 128
    assert pixels[100 - BRUSH // 2 + 1, 100 - BRUSH // 2 + 1] > 128


def test_press_without_a_move_is_a_dot() -> None:
    drawing = Drawing()
    drawing.begin((50, 60))
    inked = np.asarray(drawing.image()) < 128
    assert inked[60, 50]
    assert abs(inked.sum() - np.pi * (BRUSH / 2) ** 2) < 40


def test_undo_takes_the_last_stroke_only() -> None:
    drawing = drawn()
    first = drawing.png()
    drawing.begin((400, 100))
    assert drawing.png() != first
    drawing.undo()
    assert drawing.png() == first
    drawing.undo()
    drawing.undo()
    assert drawing.is_blank


def test_clear_takes_everything() -> None:
    drawing = drawn()
    drawing.clear()
    assert drawing.is_blank


def test_png_is_the_image() -> None:
    drawing = drawn()
    with Image.open(BytesIO(drawing.png())) as image:
        assert image.format == "PNG"
        assert image.tobytes() == drawing.image().tobytes()


def test_save_writes_the_whole_file(tmp_path: Path) -> None:
    assert save(b"content", tmp_path / "drawing.png") == "Saved as drawing.png"
    assert (tmp_path / "drawing.png").read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["drawing.png"]


def test_save_into_a_missing_folder_says_why(tmp_path: Path) -> None:
    assert save(b"content", tmp_path / "missing" / "a.png").startswith("Could not save: No such file")
