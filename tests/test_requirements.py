"""What `make run` installs first is a part of what it installs afterwards: nothing of it is replaced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


def pins(name: str) -> set[str]:
    """The lines `package==version ; marker` of a lock file."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z0-9]", line)}


@pytest.mark.parametrize("group", ["run", "service", "ui", "pipeline"])
def test_every_group_is_a_part_of_the_whole_lock(group: str) -> None:
    versions = {pin.split(" ;")[0] for pin in pins("all")}
    assert {pin.split(" ;")[0] for pin in pins(group)} <= versions


def test_run_serves_without_the_tools_of_training() -> None:
    names = {pin.split("==")[0] for pin in pins("run")}
    assert {"bentoml", "gradio", "onnxruntime", "honcho"} <= names
    assert not {"tensorflow", "mlflow", "dvc"} & names


def test_page_does_without_the_reader() -> None:
    assert not {"onnxruntime", "opencv-python-headless"} & {pin.split("==")[0] for pin in pins("ui")}
