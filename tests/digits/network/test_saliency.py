from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from digits.network.model import Model
from digits.network.saliency import saliency

Make = Callable[..., Path]


def test_saliency_points_at_the_ink_that_speaks_for_the_answer(make_folder: Make) -> None:
    seen = np.zeros((28, 28), np.float32)
    seen[4:24, 6:8] = 255  # the tiny network's columns of a 1
    seen[4:10, 18:20] = 255  # its columns of another digit
    spoken = saliency(Model.load(make_folder()), seen)
    assert spoken.shape == (28, 28)
    assert spoken.max() == 1
    assert spoken[14, 6] > 0.5
    assert spoken[6, 18] < 0
    assert not spoken[seen == 0].any()


def test_saliency_without_ink_is_zero(make_folder: Make) -> None:
    assert not saliency(Model.load(make_folder()), np.zeros((28, 28), np.float32)).any()
