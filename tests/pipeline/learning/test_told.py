from __future__ import annotations

from typing import Any

from pipeline.learning.index import Taken
from pipeline.learning.told import changes, outcome


def row(name: str, candidate: float, rival: float | None, verdict: str = "part") -> dict[str, Any]:
    difference = None if rival is None else candidate - rival
    return {
        "name": name,
        "candidate": candidate,
        "rival": rival,
        "difference": difference,
        "verdict": verdict,
    }


def taken(id: str, side: Any, label: str = "7") -> Taken:
    return Taken(f"{id}.png", label, id, side)


def test_changes_count_what_is_new_and_what_there_is() -> None:
    before = {"a": taken("a", "train"), "b": taken("b", "validation"), "d": taken("d", "train")}
    after = {"a": taken("a", "train", "1"), "b": taken("b", "validation"), "c": taken("c", "train")}
    assert changes(before, after) == (
        "1 picture of feedback is new: 1 to learn from, 0 held back to judge by. 1 picture has another label "
        "now. 1 picture is dropped. In all 2 are learnt, and 1 held back."
    )


def test_outcome_names_the_gain_what_else_changed_and_who_is_served() -> None:
    rows = [
        row("primary", 0.97, 0.97),
        row("accepted feedback", 1.0, 0.25, "better"),
        row("primary: plain", 0.993, 0.991),
        row("primary: papers", 0.97, 0.97),
        row("guard: lines", 0.9, 0.92),
        row("guard: calibration", 0.1, 0.2),
    ]
    decision = {
        "rival": "version 1 (the champion)",
        "rows": rows,
        "sentence": "it is better",
        "promoted": True,
    }
    assert outcome(decision, "2", "2") == (
        "Of what is held back, version 1 (the champion) reads 25.0 % right, and the new model 100.0 %. "
        "Else it reads right: MNIST's digits, 99.3 % (99.1 % before); lines of digits, 90.0 % (92.0 % "
        "before). Version 2, the new model, is served: it is better."
    )
    assert outcome(decision, "2", "1").endswith(
        "Version 1 stays in service, and version 2, the new model, does not take over: it is better; "
        "`make promote VERSION=2` serves it all the same."
    )


def test_outcome_of_a_first_champion_takes_no_floor_for_what_was_before() -> None:
    rows = [row("primary: plain", 0.993, 0.991), row("floor: plain", 0.993, 0.98, "held")]
    decision = {"rival": "the default model", "rows": rows, "sentence": "it reaches every floor"}
    assert "MNIST's digits, 99.3 % (99.1 % before)" in outcome(decision, "1", "1")


def test_outcome_without_a_rival_compares_nothing() -> None:
    rows = [row("accepted feedback", 0.5, None, "not compared"), row("primary: plain", 0.9, None)]
    decision = {"rival": None, "rows": rows, "sentence": "it reaches every floor", "promoted": True}
    assert outcome(decision, "1", "1") == (
        "Of what is held back, the new model reads 50.0 % right. Version 1, the new model, is served: "
        "it reaches every floor."
    )
