"""Names of runs: what differs from the nearest profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.registry.run_names import differences, listed, name_of

SETTINGS: dict[str, Any] = {
    "seed": 1,
    "epochs": 12,
    "network": {"dropout": 0.0, "padding": ["same", "valid"]},
    "optimizer": {"learning_rate": 0.005},
}


@pytest.fixture(autouse=True)
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = "network: {dropout: 0.0, padding: [same, valid]}\noptimizer: {learning_rate: 0.005}\n"
    (tmp_path / "profiles").mkdir()
    for name, text in (("default", f"epochs: 12\n{rest}"), ("best", f"epochs: 56\n{rest}")):
        (tmp_path / "profiles" / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "default"),
        ({"resume": True}, "default"),
        ({"epochs": 56}, "best"),
        ({"seed": 2}, "default, seed 2"),
        ({"epochs": 3, "optimizer": {"learning_rate": 0.01}}, "default, epochs 3, learning_rate 0.01"),
        ({"network": {"dropout": 0.0, "padding": ["same"]}}, "default, padding [same]"),
    ],
)
def test_name_says_what_differs_from_the_nearest_profile(changed: dict[str, Any], name: str) -> None:
    assert name_of(SETTINGS | changed) == name


def test_name_that_is_taken_is_numbered() -> None:
    assert name_of(SETTINGS, {"default", "default (2)", "best"}) == "default (3)"


def test_name_without_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert name_of(SETTINGS) == "training"


def test_differences_name_what_is_alike_in_full_and_what_is_missing() -> None:
    one = {"network.dropout": 0.5, "dense.dropout": 0.1, "new": True}
    assert differences(one, {"network.dropout": "0.0", "dense.dropout": "0.1"}) == [
        "new true",
        "network.dropout 0.5",
    ]
    assert differences({}, {"old": 1}) == ["old unset"]


def test_listed_counts_what_would_be_too_long() -> None:
    assert listed(list("abcdef")) == "a, b, c, d, 2 more"
