from __future__ import annotations

from typing import Any

from pipeline.learning.index import AcceptedPicture
from pipeline.learning.summary import changes, outcome


def row(name: str, candidate: float, rival: float | None, verdict: str = "part") -> dict[str, Any]:
    difference = None if rival is None else candidate - rival
    return {
        "name": name,
        "candidate": candidate,
        "rival": rival,
        "difference": difference,
        "verdict": verdict,
    }


def taken(id: str, side: Any, label: str = "7") -> AcceptedPicture:
    return AcceptedPicture(f"{id}.png", label, id, side)


def test_changes_count_what_is_new_and_what_there_is() -> None:
    before = {"a": taken("a", "train"), "b": taken("b", "validation"), "d": taken("d", "train")}
    after = {"a": taken("a", "train", "1"), "b": taken("b", "validation"), "c": taken("c", "train")}
    assert changes(before, after) == (
        "1 picture of feedback is new: 1 for training and 0 for validation. 1 picture has a new label. "
        "1 picture has been dropped. In total, 2 are for training and 1 for validation."
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
        "Of the validation feedback, version 1 (the champion) reads 25.0 % correctly, and the new model "
        "100.0 %. Its other accuracies are: MNIST's digits, 99.3 % (99.1 % before); lines of digits, 90.0 % "
        "(92.0 % before). Version 2, the new model, is served, because it is better."
    )
    assert outcome(decision, "2", "1").endswith(
        "Version 1 stays in service. Version 2, the new model, does not replace it, because it is better. "
        "To serve it nevertheless, run `make promote VERSION=2`."
    )


def test_outcome_of_a_first_champion_takes_no_floor_for_what_was_before() -> None:
    rows = [row("primary: plain", 0.993, 0.991), row("floor: plain", 0.993, 0.98, "held")]
    decision = {"rival": "the default model", "rows": rows, "sentence": "it reaches every floor"}
    assert "MNIST's digits, 99.3 % (99.1 % before)" in outcome(decision, "1", "1")


def test_outcome_without_a_rival_compares_nothing() -> None:
    rows = [row("accepted feedback", 0.5, None, "not compared"), row("primary: plain", 0.9, None)]
    decision = {"rival": None, "rows": rows, "sentence": "it reaches every floor", "promoted": True}
    assert outcome(decision, "1", "1") == (
        "Of the validation feedback, the new model reads 50.0 % correctly. Version 1, the new model, is "
        "served, because it reaches every floor."
    )
