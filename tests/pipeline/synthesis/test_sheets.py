from __future__ import annotations

import numpy as np
import pytest

from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import STYLES, Rule, Sheet, Style


@pytest.mark.parametrize(
    ("style", "share"), [("solid", 1.0), ("dashed", 0.7), ("dotted", 0.45), ("double", 1.0)]
)
def test_rules_have_their_gaps(style: Style, share: float) -> None:
    assert style in STYLES
    sheet = Sheet(200, 40)
    sheet.rule((0, 20), (200, 20), Rule(2, style, dash=10))
    inked = (sheet.print > 127).any(axis=0).mean()
    assert inked == pytest.approx(share, abs=0.15)
    rows = (sheet.print > 127).any(axis=1)
    assert int((np.diff(rows.astype(int)) == 1).sum()) == (2 if style == "double" else 1)


def test_what_lies_beyond_the_sheet_is_lost() -> None:
    sheet = Sheet(20, 10)
    sheet.write(np.ones((6, 6), np.float32), -3, 7)
    sheet.write(np.ones((4, 4), np.float32), 50, 50)
    assert sheet.ink.sum() == 9


def test_padding_goes_on_with_rules_and_cropping_ends_the_paper() -> None:
    sheet = Sheet(20, 10)
    sheet.rule((-2, 5), (22, 5), Rule(1))
    assert (sheet.padded(8, 4).print[9] > 100).all()
    assert sheet.size == (36, 18)
    assert sheet.cropped(1, 2, 3, 4).size == (32, 12)
    assert sheet.edge == "cut"


def test_the_back_shows_through_in_mirror_image_and_pale() -> None:
    sheet = Sheet(40, 30)
    sheet.write(np.ones((10, 5), np.float32), 2, 2)
    sheet.show_through(0.1)
    assert 0 < sheet.back.max() <= 0.1
    assert sheet.back[:15, :20].max() < 0.01


def test_a_photo_of_what_was_cut_shows_no_desk() -> None:
    plain, cut = Sheet(120, 80), Sheet(120, 80, "cut")
    sizes = {photographed(cut, np.random.default_rng(seed)).size for seed in range(3)}
    assert sizes == {(120, 80)}
    larger = photographed(plain, np.random.default_rng(1), large=True)
    assert larger.size == (2592, 1944)


def test_a_photo_out_of_focus_is_taken_from_nearer_and_has_no_sharp_edges() -> None:
    steepest = {}
    for focus in (True, False):
        sheet = Sheet(200, 200)
        sheet.rule((20, 100), (180, 100), Rule(4))
        photo = photographed(sheet, np.random.default_rng(2), focus=focus).convert("L")
        steepest[focus] = np.abs(np.diff(np.asarray(photo.crop((60, 60, 160, 260)), float), axis=0)).max()
    assert photo.size == (440, 440)
    assert steepest[False] < 0.6 * steepest[True]
