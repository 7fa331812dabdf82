"""Millions of pictures through Ray Data: what there is, its parts, reading them, and their answers."""

import os

# Ray reads these as it is imported: nothing is reported home, and no warning of what it plans.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
