from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from digits.ink.desk import find_paper, on_paper
from digits.ink.extraction import find_darkness
from digits.ink.sheet import Grey, Sheet, small_copy
from digits.reader import Reader
from tests.digits.layout.forms import sheet, write

CORNERS = ((70, 60), (540, 90), (520, 410), (50, 380))


def _desk(level: int, rough: int = 0, size: tuple[int, int] = (480, 640)) -> Grey:
    noise = np.random.default_rng(3).integers(-rough, rough + 1, size)
    return np.clip(level + noise, 0, 255).astype(np.uint8)


def _on_desk(
    page: Grey, desk: Grey, corners: tuple[tuple[int, int], ...] = CORNERS, light: float = 0.9
) -> Grey:
    """A page on a desk; its corners are given clockwise from the upper left one."""
    height, width = page.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    onto = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
    size = desk.shape[::-1]
    laid = cv2.warpPerspective(np.asarray(page * light, np.uint8), onto, size, flags=cv2.INTER_AREA)
    there = cv2.warpPerspective(np.ones_like(page), onto, size, flags=cv2.INTER_NEAREST)
    return np.where(there > 0, laid, desk).astype(np.uint8)


def _found(grey: Grey) -> object:
    return find_paper(small_copy(Sheet.all_of(grey)))


@pytest.mark.parametrize("level", [15, 60, 110])
@pytest.mark.parametrize("rough", [0, 25])
def test_a_sheet_on_a_darker_desk_is_found(level: int, rough: int) -> None:
    grey = _on_desk(write(sheet(500, 340), "258", (60, 90), 120, 8), _desk(level, rough))
    paper = find_paper(small_copy(Sheet.all_of(grey)))
    assert paper is not None
    left, top, right, bottom = paper.box(640, 480)
    assert (left, top, right, bottom) == pytest.approx((50, 60, 540, 410), abs=18)


def test_a_sheet_half_in_shadow_is_found_whole() -> None:
    grey = _on_desk(write(sheet(500, 340), "258", (60, 90), 120, 8), _desk(40)).astype(float)
    grey[:, 330:] *= 0.6
    paper = find_paper(small_copy(Sheet.all_of(grey.astype(np.uint8))))
    assert paper is not None
    left, _, right, _ = paper.box(640, 480)
    assert (left, right) == pytest.approx((50, 540), abs=18)


@pytest.mark.parametrize("paper", [255, 0], ids=["black on white", "white on black"])
@pytest.mark.parametrize("text", ["0", "8", "2047"])
def test_a_drawing_has_no_desk(paper: int, text: str) -> None:
    grey = write(sheet(640, 480), text, (60, 90), 260, 30)
    assert _found(grey if paper else np.asarray(255 - grey, np.uint8)) is None


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.5])
def test_the_edge_of_a_shadow_is_no_sheet(slope: float) -> None:
    rows, columns = np.mgrid[:480, :640]
    grey = np.where(columns + slope * rows < 330, 110, 210).astype(np.uint8)
    assert _found(write(grey, "47", (80, 120), 160, 10)) is None


def test_a_page_that_fills_the_picture_is_no_sheet_on_a_desk() -> None:
    assert _found(write(sheet(640, 480), "1234", (30, 60), 130, 9)) is None


def test_the_desk_is_covered_with_the_papers_light() -> None:
    grey = _on_desk(sheet(500, 340), _desk(30, 20))
    whole = Sheet.all_of(grey)
    paper = find_paper(small_copy(whole))
    assert paper is not None
    covered = on_paper(whole, paper).whole
    assert covered.shape == grey.shape
    assert int(covered.min()) > 190  # paper there is 229


def test_writing_on_a_sheet_stays() -> None:
    grey = _on_desk(write(sheet(500, 340), "258", (60, 90), 120, 8), _desk(30, 20))
    darkness = find_darkness(Image.fromarray(grey))
    plain = find_darkness(Image.fromarray(_on_desk(sheet(500, 340), _desk(30, 20))))
    assert np.count_nonzero(darkness.dark.whole > 120) > 2500
    assert np.count_nonzero(plain.dark.whole > 120) == 0


def test_boxes_are_those_of_the_picture() -> None:
    page = write(sheet(500, 340), "7", (190, 100), 140, 10)
    grey = _on_desk(page, _desk(30, 20), ((170, 140), (600, 140), (600, 440), (170, 440)))
    reading = Reader.load().read(Image.fromarray(grey))
    assert reading.text == "7"
    left, top, right, bottom = reading.digits[0].box
    there = np.argwhere(grey[150:430, 180:590] < 60) + np.array([150, 180])
    low, high = there.min(axis=0), there.max(axis=0)
    assert (left, top, right, bottom) == pytest.approx((low[1], low[0], high[1] + 1, high[0] + 1), abs=6)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_of_a_sheet_is_read_upright(orientation: int) -> None:
    grey = _on_desk(write(sheet(500, 340), "258", (60, 90), 120, 8), _desk(30, 20))
    turned = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(grey, turned)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    upright = find_darkness(Image.fromarray(grey))
    darkness = find_darkness(stored)
    assert (darkness.left, darkness.top) == pytest.approx((upright.left, upright.top), abs=8)
    assert (darkness.width, darkness.height) == (640, 480)


def test_a_corner_that_a_shadow_leaves_light_is_no_sheet() -> None:
    rows, columns = np.mgrid[:480, :640]
    assert _found(np.where(columns + 0.9 * rows > 640, 210, 115).astype(np.uint8)) is None


def test_the_round_light_of_a_lamp_is_no_sheet() -> None:
    assert (
        _found(np.asarray(cv2.ellipse(_desk(60), (320, 240), (230, 170), 0, 0, 360, 210, -1), np.uint8))
        is None
    )


def test_a_light_area_with_a_bay_is_no_sheet() -> None:
    grey = _desk(60)
    grey[60:420, 80:560] = 210
    grey[60:250, 330:560] = 60
    assert _found(grey) is None


def test_a_page_between_two_thin_shadows_is_no_sheet() -> None:
    grey = np.full((480, 640), 210, np.uint8)
    grey[:7], grey[-7:] = 60, 60
    assert _found(grey) is None


def test_a_patch_of_light_with_soft_edges_is_no_sheet() -> None:
    grey = _desk(90)
    grey[90:390, 0:400] = 200
    assert _found(np.asarray(cv2.GaussianBlur(grey, (0, 0), 70), np.uint8)) is None
    assert _found(np.asarray(cv2.GaussianBlur(grey, (0, 0), 2), np.uint8)) is not None
