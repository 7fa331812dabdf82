from __future__ import annotations

import pytest

from digits.output.percentages import percent


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.0004, "0.0 %"),
        (0.12345, "12.3 %"),
        (0.9985, "99.9 %"),
        (0.99949, "99.9 %"),
        (0.9996, "99.9 %"),
        (1.0, "99.9 %"),
    ],
)
def test_percentage_has_a_tenth_and_is_never_a_certainty(share: float, text: str) -> None:
    assert percent(share) == text
