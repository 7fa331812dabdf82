"""The conditions under which a figure was measured: the command, the day and the machine."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving_contenders import ROOT
from pipeline.project.machine import processor

RESULTS = ROOT / "benchmarks" / "results"


def conditions(command: str) -> dict[str, Any]:
    """The first entries of each result, without which its figures would mean little."""
    return {
        "command": command,
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result as JSON, and print the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {path}.")


def read(path: Path) -> dict[str, Any]:
    """A stored result; exits with a message if it does not exist."""
    if not path.exists():
        raise SystemExit(f"There is no {path}: docs/scale.md names the command that measures it.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
