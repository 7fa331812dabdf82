"""Where "not a digit" begins, and how well it parts digits from other marks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Scores = NDArray[np.float32]
"""Log odds that a mark is no digit, (n,): see `digits.model.rejection_scores`."""


def threshold(digits: Scores, false_rejects: float) -> float:
    """The score above which the share `false_rejects` of these digits lies."""
    return float(np.quantile(digits, 1 - false_rejects))


def rejection_figures(digits: Scores, others: Scores, limit: float) -> dict[str, float]:
    """How well scores part digits from other marks, at any threshold (AUROC) and at this one."""
    truth = np.concatenate([np.zeros(len(digits)), np.ones(len(others))])
    return {
        "reject_auroc": float(roc_auc_score(truth, np.concatenate([digits, others]))),
        "false_reject_rate": float((digits > limit).mean()),
        "false_accept_rate": float((others <= limit).mean()),
    }
