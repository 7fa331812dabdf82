from __future__ import annotations

import numpy as np
import pytest

from pipeline.rejection import rejection_figures, threshold


def test_threshold_rejects_the_share_that_is_asked_for() -> None:
    scores = np.arange(1000, dtype=np.float32)
    assert (scores > threshold(scores, 0.01)).mean() == pytest.approx(0.01)


def test_rejection_figures_of_scores_that_part_all() -> None:
    figures = rejection_figures(np.array([-3, -2], np.float32), np.array([1, 2], np.float32), 0.0)
    assert figures == {"reject_auroc": 1.0, "false_reject_rate": 0.0, "false_accept_rate": 0.0}


def test_rejection_figures_count_both_kinds_of_error() -> None:
    digits, others = np.array([-3, -2, -1, 5], np.float32), np.array([-4, 1], np.float32)
    figures = rejection_figures(digits, others, 0.0)
    assert figures["false_reject_rate"] == 0.25
    assert figures["false_accept_rate"] == 0.5
    assert figures["reject_auroc"] == pytest.approx(3 / 8)
