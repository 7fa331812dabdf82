"""What a training runs on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name and its cores: as Linux writes it, elsewhere what Python knows."""
    try:
        told = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        told = None
    name = told[1].strip() if told else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
