"""The packages that `make run` installs first are a subset of later ones, so none are replaced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


def pins(name: str) -> set[str]:
    """Return the lines `package==version ; marker` of a lock file."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z0-9]", line)}


@pytest.mark.parametrize(
    ("group", "whole"),
    [
        *[("run", "all"), ("service", "all"), ("ui", "all"), ("ui", "mcp")],
        *[("pipeline", "team"), ("all", "team")],
    ],
)
def test_every_lock_is_a_part_of_the_larger_one(group: str, whole: str) -> None:
    assert {pin.split(" ;")[0] for pin in pins(group)} <= {pin.split(" ;")[0] for pin in pins(whole)}


def test_versions_that_differ_by_python_do_so_in_the_same_way_everywhere() -> None:
    """Packages that are locked several times, for different versions of Python."""
    whole = pins("all")
    names = [pin.split("==")[0] for pin in whole]
    twice = {name for name in names if names.count(name) > 1}
    assert twice
    for group in ("run", "service", "ui", "pipeline"):
        assert {pin for pin in pins(group) if pin.split("==")[0] in twice} <= whole


def test_run_serves_without_the_tools_of_training() -> None:
    names = {pin.split("==")[0] for pin in pins("run")}
    assert {"bentoml", "gradio", "onnxruntime", "honcho"} <= names
    assert not {"tensorflow", "mlflow", "dvc"} & names


def test_what_mcp_adds_replaces_nothing() -> None:
    installed, added = pins("team"), pins("mcp")
    names = {pin.split("==")[0] for pin in installed}
    shared = {pin.split(" ;")[0] for pin in added if pin.split("==")[0] in names}
    assert shared <= {pin.split(" ;")[0] for pin in installed}
    assert "mcp" not in names, "Gradio would import it, and every page would start a second later"


def test_page_does_without_the_reader() -> None:
    assert not {"onnxruntime", "opencv-python-headless"} & {pin.split("==")[0] for pin in pins("ui")}
