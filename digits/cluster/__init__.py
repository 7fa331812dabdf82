"""Reads millions of pictures with Ray Data: finds them, divides them into parts, and writes their answers."""

import os

# Ray reads these when it is imported. They turn off its usage reports and a warning about future versions.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
