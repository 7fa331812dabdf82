"""Tests of finding writing on the writing lines of a form."""

from __future__ import annotations

import numpy as np
import pytest

from digits.layout.atoms import Atom, Run
from digits.layout.fields import on_lines
from tests.digits.layout.forms import rule

LINE = rule(100, 300, at=100)


def _run(left: int, bottom: int) -> Run:
    return Run((Atom((left, bottom - 30, left + 20, bottom), np.full((30, 20), 255, np.uint8)),), 30)


@pytest.mark.parametrize("bottom", [97, 90, 108])
def test_what_ends_near_a_line_stands_on_it(bottom: int) -> None:
    (run,) = on_lines([_run(150, bottom)], [LINE])
    assert run.filled_in


@pytest.mark.parametrize(("left", "bottom"), [(40, 97), (310, 97), (150, 60), (150, 140)])
def test_what_is_beside_above_or_below_a_line_does_not(left: int, bottom: int) -> None:
    (run,) = on_lines([_run(left, bottom)], [LINE])
    assert not run.filled_in
