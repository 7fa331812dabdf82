from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from digits.errors import ImageError
from digits.ink.layer import layer_of


def _corner_dark(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    pixels = np.full((height, width), 255, np.uint8)
    pixels[: height // 4, : width // 4] = 0
    return pixels


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"]
)
def test_layer_of_takes_every_mode(mode: str) -> None:
    pixels = _corner_dark()
    if mode == "LAB":
        image = Image.merge("LAB", [Image.fromarray(pixels)] + [Image.new("L", (60, 40), 128)] * 2)
    else:
        grey = Image.fromarray(pixels)
        image = grey.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr", "HSV") else grey.convert(mode)
    layer = layer_of(image)
    assert layer.grey.shape == (40, 60)
    assert layer.grey[2, 2] < 60
    assert layer.grey[30, 50] > 200


@pytest.mark.parametrize("white", [255, 1023, 4095, 65535])
def test_layer_of_scales_deep_greys_by_their_depth(white: int) -> None:
    deep = Image.fromarray((_corner_dark().astype(np.uint32) * white // 255).astype(np.uint16))
    grey = layer_of(deep).grey
    assert grey[2, 2] == 0
    assert grey[30, 50] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_layer_of_turns_upright(orientation: int) -> None:
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = Image.fromarray(_corner_dark())
    stored.getexif()[0x0112] = back
    lying = ImageOps.exif_transpose(stored)
    lying.getexif()[0x0112] = orientation
    layer = layer_of(lying)
    assert np.array_equal(layer.grey, _corner_dark())
    assert (layer.width, layer.height) == (60, 40)


def test_layer_of_shrinks_large_photos() -> None:
    layer = layer_of(Image.new("RGB", (4000, 3000), "white"))
    assert layer.shrink == 3
    assert layer.grey.shape == (1000, 1334)
    assert (layer.width, layer.height) == (4000, 3000)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_layer_of_takes_odd_sizes(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size)
    image.putpixel((0, 0), (255, 255, 255))
    layer = layer_of(image)
    assert (layer.width, layer.height, layer.shrink) == (*size, 1)
    assert np.argwhere(layer.grey).tolist() == [[0, 0]]


def test_layer_of_refuses_no_pixels() -> None:
    with pytest.raises(ImageError, match="zero pixels"):
        layer_of(Image.new("L", (0, 5)))


def test_layer_of_refuses_a_palette_that_is_missing() -> None:
    image = Image.new("P", (9, 9))
    image.palette = None
    with pytest.raises(ImageError, match="palette"):
        layer_of(image)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_layer_of_takes_pixels_as_arrays(mode: str) -> None:
    image = Image.fromarray(_corner_dark()).convert(mode)
    layer = layer_of(np.asarray(image))
    assert np.array_equal(layer.grey, layer_of(image).grey)
    assert (layer.width, layer.height, layer.shrink) == (60, 40, 1)
    assert np.array_equal(layer_of(np.asarray(image)[:, ::-1]).grey, _corner_dark()[:, ::-1])


@pytest.mark.parametrize(
    "odd",
    [np.zeros((4, 5)), np.zeros(9, np.uint8), np.zeros((4, 5, 2), np.uint8), np.zeros((0, 5), np.uint8)],
)
def test_layer_of_refuses_arrays_that_are_no_picture(odd: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match=r"not a picture|zero pixels"):
        layer_of(odd)


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (250, 220, 40)])
def test_layer_of_takes_paint_on_a_clear_sheet_for_ink(ink: tuple[int, int, int]) -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    image.paste((*ink, 255), (10, 10, 20, 40))
    grey = layer_of(image).grey
    assert grey[20, 15] == 0
    assert grey[5, 5] == 255


def test_layer_of_gives_a_cut_out_photo_its_paper() -> None:
    photo = np.zeros((60, 60, 4), np.uint8)
    photo[5:55, 5:55] = (230, 230, 220, 255)
    photo[20:40, 28:32, :3] = 20
    grey = layer_of(Image.fromarray(photo)).grey
    assert grey[0, 0] == grey[10, 10]
    assert grey[30, 30] < 40


@pytest.mark.parametrize(
    ("paper", "ink"), [((255, 255, 255), (255, 240, 40)), ((140, 190, 140), (220, 110, 120))]
)
def test_layer_of_picks_the_channel_that_shows_the_ink(
    paper: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    image = Image.new("RGB", (100, 100), paper)
    image.paste(ink, (40, 20, 48, 80))
    grey = layer_of(image).grey.astype(int)
    assert abs(grey[50, 44] - grey[5, 5]) > 60
