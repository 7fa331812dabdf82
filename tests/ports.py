"""Free ports for the servers that tests start."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Below the ports that the system assigns to outgoing connections and to programs that request any port.
# BentoML requests several as it starts, and one of them could be a port that a test has just found free.
RANGE = range(20_000, 30_000)


def free_port() -> int:
    """A port that nothing listens on; raises `RuntimeError` if a hundred random ones are all taken."""
    for port in random.SystemRandom().sample(RANGE, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port between {RANGE.start} and {RANGE.stop}")
