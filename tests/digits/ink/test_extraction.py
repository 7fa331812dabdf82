from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digits.errors import ImageError
from digits.ink import layer
from digits.ink.extraction import find_ink, ink_map


def _bar(paper: int = 255, ink: int = 0) -> NDArray[np.uint8]:
    pixels = np.full((120, 100), paper, np.uint8)
    pixels[30:90, 45:55] = ink
    return pixels


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (200, 180), (30, 60)])
def test_ink_map_is_one_in_ink_and_zero_on_paper(paper: int, ink: int) -> None:
    found = ink_map(Image.fromarray(_bar(paper, ink)))
    assert found.dtype == np.float32
    assert found[60, 50] > 0.98
    assert found[5, 5] == 0
    assert len(np.unique(found)) == 2


def test_ink_map_of_a_blank_sheet_is_empty() -> None:
    assert not ink_map(Image.new("L", (80, 80), 200)).any()


def test_ink_map_refuses_no_pixels() -> None:
    with pytest.raises(ImageError):
        ink_map(Image.new("L", (0, 0)))


def test_find_ink_gives_the_contrast_of_the_ink() -> None:
    assert find_ink(Image.fromarray(_bar(200, 150))).contrast == pytest.approx(0.25, abs=0.02)


def test_find_ink_inverted_reads_the_other_polarity() -> None:
    tight = Image.fromarray(_bar()[25:65, 35:65])
    assert find_ink(tight).mask[20, 15]
    assert not find_ink(tight, inverted=True).mask[20, 15]
    assert find_ink(tight, inverted=True).mask[2, 2]


def test_find_ink_takes_salt_out() -> None:
    pixels = _bar()
    rng = np.random.default_rng(0)
    pixels[rng.random(pixels.shape) < 0.03] = 0
    away = np.ones(pixels.shape, bool)
    away[25:95, 40:60] = False
    assert find_ink(Image.fromarray(pixels)).mask[away].mean() < 0.002


def test_find_ink_takes_noise_out() -> None:
    noise = np.random.default_rng(0).normal(0, 25, (120, 100))
    ink = find_ink(Image.fromarray(np.clip(_bar(200, 60) + noise, 0, 255).astype(np.uint8)))
    assert ink.rough
    assert ink.mask[35:85, 47:53].mean() > 0.98
    assert ink.mask[:, :35].mean() < 0.01


def test_find_ink_leaves_weak_rulings_out() -> None:
    pixels = _bar()
    pixels[10::20, :] = np.minimum(pixels[10::20, :], 190)
    ink = find_ink(Image.fromarray(pixels))
    assert not ink.mask[10, :40].any()
    assert ink.mask[60, 50]


def _curve(size: int, pen: int, *, smooth: bool, seed: int) -> NDArray[np.uint8]:
    """White paper and black ink, sometimes with a ruled line, a shadow or specks."""
    rng = np.random.default_rng(seed)
    pixels = np.full((size, size + 13), 255, np.uint8)
    points = rng.integers(0, size, (6, 1, 2)).astype(np.int32) // 2 + rng.integers(0, size // 2, 2)
    points = points.astype(np.int32)
    cv2.polylines(pixels, [points], False, 0, pen, cv2.LINE_AA if smooth else cv2.LINE_8)
    if seed % 4 == 1:
        pixels[size // 3 :: size // 6] //= 2
    if seed % 4 == 2:
        pixels[: size // 3, : size // 2] //= 2
    if seed % 4 == 3:
        pixels[tuple(rng.integers(0, size, (2, size)))] = 90
    return pixels


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("size", "pen"), [(50, 3), (90, 4), (280, 20), (401, 2), (401, 60)])
@pytest.mark.parametrize("kind", ["dark", "light", "faint", "clear"])
def test_find_ink_of_the_part_is_that_of_the_whole_picture(
    monkeypatch: pytest.MonkeyPatch, kind: str, size: int, pen: int, seed: int
) -> None:
    drawn = _curve(size, pen, smooth=seed % 2 == 0, seed=seed)
    nothing = np.zeros_like(drawn)
    pixels = {
        "dark": np.dstack([drawn] * 3 + [nothing + 255]),
        "light": 255 - drawn,
        "faint": np.dstack([200 - (255 - drawn) // 9] * 3),
        "clear": np.dstack([nothing] * 3 + [255 - drawn]),
    }[kind].astype(np.uint8)
    for inverted in (False, True):
        of_part = find_ink(Image.fromarray(pixels), inverted)
        with monkeypatch.context() as patched:
            patched.setattr(layer, "written_box", lambda whole: (0, 0, whole.shape[1], whole.shape[0]))
            of_whole = find_ink(Image.fromarray(pixels), inverted)
        assert np.array_equal(of_part.pixels, of_whole.pixels)
        assert np.array_equal(of_part.mask, of_whole.mask)
        assert of_part.contrast == of_whole.contrast
        assert (of_part.rough, of_part.in_doubt) == (of_whole.rough, of_whole.in_doubt)


@pytest.mark.parametrize("margin", [0, 1])
def test_a_stroke_cut_out_tightly_is_ink(margin: int) -> None:
    """In such a narrow strip, a wide stroke is not a shadow."""
    paper = np.full((140, 60), 255, np.uint8)
    cv2.line(paper, (20, 25), (38, 116), 0, 15, cv2.LINE_AA)
    left, top, width, height = cv2.boundingRect(255 - paper)
    cut = paper[top - margin : top + height + margin, left - margin : left + width + margin]
    assert 0.2 < find_ink(Image.fromarray(cut)).place.whole.mean() < 0.8
