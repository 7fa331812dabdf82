from __future__ import annotations

import numpy as np

from digits.ink.sheet import Sheet
from digits.layout.components import find_pieces
from digits.layout.pieces import common_box

_FULL = np.minimum(np.arange(256) * 255, 255).astype(np.uint8)


def test_only_gives_the_ink_of_the_chosen_pieces() -> None:
    first, second = (50, 40, 60, 140), (56, 150, 90, 170)
    mask = np.zeros((200, 300), np.uint8)
    for left, top, right, bottom in (first, second):
        mask[top:bottom, left:right] = 1
    place = Sheet.all_of(mask)
    found = find_pieces(place)
    box, ink = found.only(place.mapped(_FULL), [found.kept[0]])
    assert box == first
    assert ink.shape == (100, 10)
    assert ink.min() == 255
    both, ink = found.only(place.mapped(_FULL), list(found.kept))
    assert both == common_box([first, second])
    assert (ink > 0).sum() == place.part.sum()


def test_only_takes_a_box_of_a_coarser_map_beyond_the_part() -> None:
    part = np.zeros((1603, 1603), np.uint8)
    part[2:1601, 2:1601] = 1
    place = Sheet(part, 100, 100, 1900, 1900, 0)
    found = find_pieces(place)
    box, ink = found.only(place.mapped(_FULL), [found.kept[0]])
    assert found.coarse > 3
    assert ink.shape == (box[3] - box[1], box[2] - box[0])
    assert (ink > 0).sum() == part.sum()
