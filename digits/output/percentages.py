"""A share as a percentage, as the page writes it."""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """0.9987 (0..1) as "99.9 %", rounded to a tenth of a percent, but never to "100.0 %"."""
    return f"{min(math.floor(share * 1000 + 0.5), 999) / 10:.1f} %"
