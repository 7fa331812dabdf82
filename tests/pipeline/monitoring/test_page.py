"""The report of `make drift` names what the window is compared with."""

from __future__ import annotations

import pytest

from digits import Look
from pipeline.monitoring.page import Found, page
from pipeline.monitoring.significance import judged
from tests.traffic.windows import SEVEN
from traffic.counts import Counts
from traffic.drift import AGAINST, LEVEL, Against, comparisons


def counted(paper: float, pictures: int) -> Counts:
    counts = Counts()
    for _ in range(pictures):
        counts.add_prediction(SEVEN, Look(paper, ink=0.03, size=0.5, stroke=0.1), 160_000)
    return counts


@pytest.mark.parametrize("against", AGAINST)
def test_report_names_what_the_window_is_compared_with(against: Against) -> None:
    found = judged(comparisons(counted(0.0, 150), counted(1.0, 300)), LEVEL)
    text = page(Found("http://localhost", "1", 24, LEVEL, against, {"predict": 150, "read": 0}, found))
    other, absent = ("days before", "reference") if against == "before" else ("reference", "days before")
    assert f"150 in the window, 300 in the {other}" in text
    assert f"in the {absent}" not in text
    assert "Drift in paper of /predict" in text
    assert "/read: 0 pictures, too few to compare" in text
