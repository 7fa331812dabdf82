"""The hardware and the package versions that a training runs with."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

CALCULATING = ("keras", "numpy", "onnx", "onnxruntime", "opencv-python-headless", "tensorflow", "tf2onnx")


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name, from Linux's cpuinfo if there is one, and its number of cores."""
    try:
        told = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        told = None
    name = told[1].strip() if told else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def packages() -> str:
    """Return the versions of Python and the numerical packages, as "python 3.11.9, keras 3.15.1, ..."."""
    return ", ".join(
        [f"python {platform.python_version()}", *(f"{name} {version(name)}" for name in CALCULATING)]
    )
