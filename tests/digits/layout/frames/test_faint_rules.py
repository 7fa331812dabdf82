from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.faint_rules import faint_rules
from digits.layout.frames.search import find_frames
from digits.layout.rules.rule import Rule
from tests.digits.layout.forms import rule, ruled_grid, sheet, write

FIRST, CELL = 20, 48
HEAVY = tuple(FIRST + 3 * CELL * k for k in range(4))
THIN = tuple(FIRST + CELL * k for k in range(10) if k % 3)
ALL = tuple(sorted(HEAVY + THIN))
KNOWN = [
    HEAVY,
    tuple(sorted((*HEAVY, THIN[0]))),
    tuple(sorted((*HEAVY, THIN[3]))),
    tuple(sorted((*HEAVY, THIN[1], THIN[2]))),
]  # the rules that are known in each direction
SHOWN = [
    (1.0, False),
    (1.0, True),
    (2.0, False),
    (2.0, True),
    (3.0, False),
]  # how blurred, and with digits or not


def _grid(
    faint: float = 3.0, blur: float = 2.0, paper: int = 10, digits: bool = True, height: int = 20
) -> Grey:
    """The darkness of a blurred 9x9 grid of heavy rules, and of thin rules this much darker than paper."""
    thin = faint * max(1.0, 2.5 * blur)  # `faint` remains of it after the blur
    dark = np.zeros((472, 472))
    inside = slice(HEAVY[0], HEAVY[-1] + 1)
    for places, level, wide in ((THIN, thin, 0), (HEAVY, 200.0, 2)):
        for place in places:
            dark[place - wide : place + wide + 1, inside] = level
            dark[inside, place - wide : place + wide + 1] = level
    if digits:
        written = sheet(472, 472)
        for k in np.random.default_rng(1).permutation(81)[:30].tolist():
            at = FIRST + CELL * (k % 9) + (CELL - height) // 2, FIRST + CELL * (k // 9) + (CELL - height) // 2
            written = write(written, str(k % 10), at, height, 3)
        dark = np.maximum(dark, 255 - written)
    if blur:
        dark = np.asarray(cv2.GaussianBlur(dark, (0, 0), blur), np.float64)
    return np.asarray(np.rint(np.minimum(255, dark + paper)), np.uint8)


def _heavy(places: Sequence[int] = HEAVY, thickness: float = 6) -> list[Rule]:
    return [rule(HEAVY[0], HEAVY[-1], place, thickness) for place in places]


def _at(rules: Sequence[Rule]) -> list[float]:
    return sorted(float(one.at(one.middle)) for one in rules)


def _missing(known: Sequence[int]) -> list[int]:
    return [place for place in ALL if place not in known]


@pytest.mark.parametrize(("blur", "digits"), SHOWN)
@pytest.mark.parametrize("known", KNOWN)
def test_the_faint_rules_of_a_blurred_grid_are_found(
    known: tuple[int, ...], blur: float, digits: bool
) -> None:
    horizontal, vertical = faint_rules(_grid(blur=blur, digits=digits), _heavy(known), _heavy(known))
    assert _at(horizontal) == pytest.approx(_missing(known), abs=2)
    assert _at(vertical) == pytest.approx(_missing(known), abs=2)
    for one in (*horizontal, *vertical):
        assert (one.start, one.end) == pytest.approx((HEAVY[0], HEAVY[-1]), abs=2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("known", KNOWN)
def test_the_faint_rules_of_a_grid_on_rough_paper_are_found(known: tuple[int, ...], seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1.5, (472, 472))
    dark = (_grid(4.0) + noise).clip(0, 255).astype(np.uint8)
    horizontal, vertical = faint_rules(dark, _heavy(known), _heavy(known))
    assert _at(horizontal) == pytest.approx(_missing(known), abs=2)
    assert _at(vertical) == pytest.approx(_missing(known), abs=2)


@pytest.mark.parametrize("known", KNOWN)
def test_faint_rules_of_a_grid_in_perspective_are_found(known: tuple[int, ...]) -> None:
    flat = np.array([(20, 20), (452, 20), (20, 452), (452, 452)], np.float32)
    seen = np.array([(60, 30), (430, 50), (20, 440), (460, 450)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, seen)
    dark = np.asarray(cv2.warpPerspective(_grid(5.0), matrix, (472, 472), borderValue=(10,)), np.uint8)

    def warped(place: int, vertical: bool) -> Rule:
        ends = np.array([[[place, HEAVY[0]], [place, HEAVY[-1]]]], np.float64)
        ends = cv2.perspectiveTransform(ends if vertical else ends[..., ::-1], matrix.astype(np.float64))[0]
        (at, start), (to, end) = (ends if vertical else ends[:, ::-1]).tolist()
        return rule(start, end, at, 5, (to - at) / (end - start))

    horizontal, vertical = faint_rules(
        dark, [warped(place, False) for place in known], [warped(place, True) for place in known]
    )
    assert _at(horizontal) == pytest.approx(_at([warped(place, False) for place in _missing(known)]), abs=2)
    assert _at(vertical) == pytest.approx(_at([warped(place, True) for place in _missing(known)]), abs=2)


@pytest.mark.parametrize("digit", "1478")
@pytest.mark.parametrize("height", [24, 36, 42])
def test_a_column_of_digits_in_the_cells_of_a_grid_is_no_rule(digit: str, height: int) -> None:
    written = sheet(472, 472)
    for row in range(9):
        left = FIRST + CELL // 2 + 3 * CELL - round(0.4 * height)
        written = write(written, digit, (left, FIRST + CELL * row + (CELL - height) // 2), height, 3)
    dark = np.maximum(_grid(200.0, 1.0, digits=False), 255 - written)
    assert faint_rules(dark, _heavy(ALL), _heavy(ALL)) == ([], [])


@pytest.mark.parametrize("height", [20, 24])
def test_a_column_of_blurred_digits_where_few_rules_are_known_is_no_rule(height: int) -> None:
    known = _heavy((*HEAVY[:2], HEAVY[1] + CELL, *HEAVY[2:]))
    assert faint_rules(_grid(0.0, height=height), known, known) == ([], [])


def test_rules_are_found_where_writing_is_as_dark_elsewhere_between_them() -> None:
    """A ridge at the even place counts, whatever else there is."""
    dark = _grid(5.0, 2.0, digits=False)
    for place in range(FIRST, FIRST + 9 * CELL, CELL):
        dark[place + 20 : place + 24] = np.maximum(dark[place + 20 : place + 24], 14)
    found, _ = faint_rules(dark, _heavy(), _heavy())
    assert _at(found) == pytest.approx(_missing(HEAVY), abs=2)


def test_a_way_as_narrow_as_a_cell_is_not_divided_where_wider_ones_are() -> None:
    """A ridge in the middle of the only known cell is writing."""
    known = (*HEAVY[:1], HEAVY[0] + CELL, *HEAVY[1:])
    dark = _grid(5.0, 2.0, digits=False)
    middle = HEAVY[0] + CELL // 2
    dark[middle - 2 : middle + 3] = np.maximum(dark[middle - 2 : middle + 3], 40)
    found, _ = faint_rules(dark, _heavy(known), _heavy())
    assert _at(found) == pytest.approx(_missing(known), abs=2)


@pytest.mark.parametrize("apart", [0, 4])
def test_faint_rules_are_found_where_a_known_one_is_double(apart: int) -> None:
    known = (*HEAVY, HEAVY[1] + apart)
    found, _ = faint_rules(_grid(5.0, 2.0, digits=False), _heavy(known), _heavy())
    assert _at(found) == pytest.approx(_missing(HEAVY), abs=3)


def test_unrest_of_the_paper_is_no_rule() -> None:
    dark = _grid(0.0, 0.0, digits=False).astype(np.float64)
    dark += np.random.default_rng(3).normal(0, 8, dark.shape)
    assert faint_rules(np.asarray(dark.clip(0, 255), np.uint8), _heavy(), _heavy()) == ([], [])


@pytest.mark.parametrize("height", [60, 100, 120])
def test_tall_strokes_between_heavy_rules_alone_are_no_rules(height: int) -> None:
    dark = _grid(0.0, 1.0, digits=False)
    for row in range(3):
        top = HEAVY[row] + (3 * CELL - height) // 2
        for column in range(3):
            middle = HEAVY[column] + 3 * CELL // 2
            dark[top : top + height, middle - 2 : middle + 3] = 255
    assert faint_rules(dark, _heavy(), _heavy()) == ([], [])


@pytest.mark.parametrize("shown", [True, False])
def test_the_soft_ends_of_digits_in_all_cells_are_no_rules(shown: bool) -> None:
    """If the digits are `shown`, the ridges are their ends; otherwise the same ridges are rules."""
    dark = _grid(0.0, 0.0, digits=False)
    for middle in (place + 3 * CELL // 2 for place in HEAVY[:-1]):
        dark[HEAVY[0] : HEAVY[-1], middle - 2 : middle + 3] += 5
        for row in (place + 3 * CELL // 2 for place in HEAVY[:-1]):
            dark[row - 45 : row + 46, middle - 2 : middle + 3] = 120 if shown else 15
    _, vertical = faint_rules(dark, _heavy(), _heavy())
    assert len(vertical) == (0 if shown else 3)


@pytest.mark.parametrize("faint", [0.0, 1.0])
@pytest.mark.parametrize("known", [HEAVY, (*HEAVY[:2], HEAVY[1] + CELL, *HEAVY[2:])])
def test_what_is_no_darker_than_paper_is_no_rule(known: tuple[int, ...], faint: float) -> None:
    assert faint_rules(_grid(faint), _heavy(known), _heavy(known)) == ([], [])


def test_a_row_of_boxes_has_no_faint_rules() -> None:
    dark = np.zeros((160, 500), np.uint8)
    x = tuple(range(40, 461, 70))
    for left in x:
        dark[42:118, left + 34 : left + 37] = 200  # a tall 1 in each box
    assert faint_rules(
        dark, [rule(40, 460, 40), rule(40, 460, 120)], [rule(40, 120, left) for left in x]
    ) == (
        [],
        [],
    )


def test_a_tall_stroke_in_a_box_twice_as_wide_as_the_others_is_no_rule() -> None:
    dark = np.zeros((160, 500), np.uint8)
    dark[42:118, 179:182] = 200
    horizontal, vertical = [rule(40, 250, y) for y in (40, 120)], [rule(40, 120, x) for x in (40, 110, 250)]
    assert faint_rules(dark, horizontal, vertical) == ([], [])


def test_on_paper_with_lines_only_ways_with_room_for_several_cells_are_divided() -> None:
    known = tuple(sorted((*HEAVY, THIN[0], THIN[3], THIN[4])))
    lines = (True, False)
    horizontal, vertical = faint_rules(_grid(5.0, digits=False), _heavy(known), _heavy(ALL), lines)
    assert _at(horizontal) == pytest.approx(_missing(known), abs=2)
    assert vertical == []
    assert faint_rules(_grid(5.0, digits=False), _heavy(), _heavy(), (True, True)) == ([], [])


@pytest.mark.parametrize("off", [-3, 0, 3])
def test_the_search_finds_the_rules_of_a_grid_that_lie_in_lines_of_the_paper(off: int) -> None:
    grey = ruled_grid(sheet(640, 700), [100 + 48 * k for k in range(10)], [120 + 48 * k for k in range(10)])
    for line in range(120 + 48 - 96 + off, 690, 96):
        grey[line : line + 2] = 150
    found = find_frames(np.asarray(255 - grey, np.uint8), 60)
    assert len(set(map(round, _at(found.horizontal)))) >= 10
    for place in range(120, 120 + 9 * 48 + 1, 48):
        assert min(abs(place - at) for at in _at(found.horizontal)) <= 4


def test_the_search_finds_a_blurred_grid_whose_thin_rules_are_faint() -> None:
    found = find_frames(_grid(12.0, 2.0), 20)
    assert _at(found.horizontal) == pytest.approx(ALL, abs=2)
    assert _at(found.vertical) == pytest.approx(ALL, abs=2)


def test_too_few_rules_have_none_between() -> None:
    assert faint_rules(_grid(), [], []) == ([], [])
    assert faint_rules(_grid(), _heavy(HEAVY[:1]), _heavy()) == ([], [])
