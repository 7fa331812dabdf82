from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Sheet
from digits.layout.components import find_pieces, main_group


def _place(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (200, 300)) -> Sheet:
    mask = np.zeros(size, np.uint8)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = 1
    return Sheet.all_of(mask)


def test_find_pieces_of_a_blank_sheet_finds_none() -> None:
    assert find_pieces(_place()).kept == ()


def test_find_pieces_drops_specks_and_keeps_parts() -> None:
    digit, bar, speck = (50, 40, 60, 140), (70, 40, 100, 48), (250, 20, 255, 25)
    kept = find_pieces(_place(digit, bar, speck)).kept
    assert [piece.box for piece in kept] == [digit, bar]


def test_find_pieces_takes_dust_alone_for_nothing() -> None:
    assert find_pieces(_place((100, 100, 103, 103))).kept == ()


def test_find_pieces_asks_for_more_on_rough_paper() -> None:
    place = _place((100, 100, 107, 107))
    assert len(find_pieces(place).kept) == 1
    assert find_pieces(place, rough=True).kept == ()


def test_find_pieces_drops_the_edge_of_the_sheet() -> None:
    digit, edge = (100, 50, 140, 130), (0, 0, 12, 200)
    assert [piece.box for piece in find_pieces(_place(digit, edge)).kept] == [digit]


def test_find_pieces_keeps_a_digit_that_touches_the_border() -> None:
    digit, other = (0, 60, 30, 140), (100, 60, 130, 140)
    place = _place(digit, other)
    place.part[70:130, 0:20] = 0  # only its ends touch the border, as those of a C do
    assert len(find_pieces(place).kept) == 2


def test_find_pieces_on_a_coarser_map_has_the_same_boxes() -> None:
    boxes = [(100, 100, 400, 1500), (700, 90, 1100, 1490)]
    found = find_pieces(_place(*boxes, size=(1600, 1600)))
    assert found.coarse > 1
    for piece, box in zip(found.kept, sorted(boxes, key=lambda box: box[1] - box[3]), strict=True):
        assert piece.box == pytest.approx(box, abs=found.coarse)


def test_main_group_leaves_far_small_pieces_out() -> None:
    digit, near, far = (50, 40, 70, 140), (75, 40, 100, 60), (220, 150, 245, 175)
    group = main_group(find_pieces(_place(digit, near, far)))
    assert [piece.box for piece in group] == [digit, near]
    large = (220, 60, 240, 150)
    assert len(main_group(find_pieces(_place(digit, large)))) == 2


def _marks(*sizes: int) -> Sheet:
    """Squares of these sizes next to each other, on a sheet so large that a single one is dust."""
    boxes = [(40 * (k % 20) + 20, 40 * (k // 20) + 20, size) for k, size in enumerate(sizes)]
    return _place(*((x, y, x + size, y + size) for x, y, size in boxes), size=(900, 900))


@pytest.mark.parametrize("count", [1, 5])
def test_a_few_marks_alike_make_a_page_where_one_is_dust(count: int) -> None:
    assert len(find_pieces(_marks(*[16] * count), rough=True, page=True).kept) == (count if count > 1 else 0)


def test_noise_is_no_page_since_it_has_the_more_pieces_the_smaller_they_are() -> None:
    noise = [*[16] * 12, *[11] * 40]
    assert find_pieces(_marks(*noise), rough=True, page=True).kept == ()


def test_a_line_that_was_not_found_does_not_make_specks_of_digits() -> None:
    line = (10, 150, 290, 160)
    digits = [(10 + 40 * k, 100, 25 + 40 * k, 120) for k in range(7)]
    kept = find_pieces(_place(*digits, line), page=True).kept
    assert sorted(piece.box for piece in kept) == sorted([*digits, line])


def test_a_level_stroke_makes_specks_of_what_is_lower() -> None:
    stroke = (10, 150, 290, 162)
    dirt = [(10 + 40 * k, 100, 14 + 40 * k, 104) for k in range(7)]
    assert [piece.box for piece in find_pieces(_place(*dirt, stroke), page=True).kept] == [stroke]
