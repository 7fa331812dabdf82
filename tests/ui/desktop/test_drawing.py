"""Strokes and pictures rendered as a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ui.desktop.drawing import BRUSH, HEIGHT, ON_PAPER, WIDTH, Drawing, NotAPicture, Picture, Place, save


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


def content(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def test_redo_does_again_what_was_undone_until_something_else_is_done() -> None:
    drawing = drawn()
    first = drawing.png()
    drawing.clear()
    drawing.undo()
    assert drawing.png() == first
    drawing.redo()
    assert drawing.is_blank
    drawing.undo()
    drawing.begin((5, 5))
    assert not drawing.can_redo


def test_stroke_that_is_taken_back_goes_no_further() -> None:
    drawing = drawn()
    drawing.undo()
    assert drawing.extend((200, 200)) is None
    assert drawing.is_blank


def test_width_and_eraser() -> None:
    drawing = Drawing()
    drawing.begin((100, 100), 40)
    drawing.extend((100, 300))
    assert abs(int((np.asarray(drawing.image())[200] < 128).sum()) - 40) <= 1
    drawing.begin((0, 200), 10, erases=True)
    drawing.extend((300, 200))
    pixels = np.asarray(drawing.image())
    assert pixels[200, 100] == 255
    assert pixels[220, 100] == 0


def test_eraser_alone_leaves_the_sheet_blank() -> None:
    drawing = Drawing()
    drawing.begin((100, 100), erases=True)
    assert drawing.is_blank


def test_picture_takes_the_place_of_the_drawing_and_is_sent_as_it_came() -> None:
    drawing, file = drawn(), content(Image.new("L", (1120, 210), 0))
    before = drawing.png()
    drawing.lay(file)
    assert drawing.sent() == (file, Place(0, 157, 0.5))
    pixels = np.asarray(drawing.image())
    assert (pixels[156] == 255).all()
    assert (pixels[158:261] == 0).all()
    drawing.begin((280, 210), erases=True)
    sent = drawing.sent()
    assert (sent.content, sent.place) == (drawing.png(), ON_PAPER)
    for _ in range(3):
        drawing.undo()
    assert drawing.png() == before


def test_picture_stands_upright_on_white_in_any_depth() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for file, size in (
        (content(Image.new("RGB", (100, 50)), "JPEG", exif=exif), (210, 420)),
        (content(Image.new("RGBA", (50, 50), (0, 0, 0, 0))), (420, 420)),
        (content(Image.fromarray(np.full((50, 50), 40000, np.uint16))), (420, 420)),
    ):
        drawing = Drawing()
        drawing.lay(file)
        picture = drawing.visible[-1]
        assert isinstance(picture, Picture)
        with Image.open(BytesIO(picture.shown())) as shown:
            assert shown.size == size
            white = shown.convert("L").getextrema() == (255, 255)
        assert white == (size == (420, 420))


@pytest.mark.parametrize("file", [b"", b"no picture", content(Image.new("L", (90, 90)))[:60]])
def test_what_is_no_picture_changes_nothing(file: bytes) -> None:
    drawing = drawn()
    before = drawing.png()
    with pytest.raises(NotAPicture):
        drawing.lay(file)
    assert drawing.png() == before
