from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.rules.dashes import dashed_rules, dashes_of
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import mask_of, sheet, write

SCALE = Scale(2.0)


def _dashed(dash: int, gap: int, slope: float = 0.0) -> Grey:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(40, 560, dash + gap):
        for x in range(left, left + dash):
            y = round(100 + slope * (x - 40))
            mask[y : y + 2, x] = 1
    return mask


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.05])
@pytest.mark.parametrize(("dash", "gap"), [(6, 4), (8, 8), (3, 3)])
def test_a_line_of_dashes_or_dots_is_a_dashed_rule(dash: int, gap: int, slope: float) -> None:
    dashes = dashes_of(_dashed(dash, gap, slope), SCALE)
    assert dashes is not None
    (found,) = dashed_rules(dashes, SCALE)
    assert found.dashed
    assert (found.start, found.end) == pytest.approx((40, 559), abs=dash + gap)
    assert float(found.at(300.0)) == pytest.approx(100.5 + slope * 260, abs=1)


def test_a_few_small_pieces_make_no_dashed_line() -> None:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(100, 400, 100):
        mask[100:104, left : left + 8] = 1
    assert dashes_of(mask, Scale(4)) is None


def test_digits_are_no_dashes() -> None:
    assert dashes_of(mask_of(write(sheet(700, 160), "36890245", (40, 40), 80, pen=7)), Scale(7)) is None


def test_specks_all_over_a_sheet_are_no_dashed_rule() -> None:
    mask = np.zeros((200, 600), np.uint8)
    rng = np.random.default_rng(5)
    for x, y in zip(rng.integers(10, 590, 60), rng.integers(10, 190, 60), strict=True):
        mask[y : y + 3, x : x + 3] = 1
    dashes = dashes_of(mask, SCALE)
    assert dashes is not None
    assert dashed_rules(dashes, SCALE) == []
