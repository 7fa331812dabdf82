"""Cards in MLflow: a description of limited length, and the sources of a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from digits.network.model import Manifest
from pipeline.registry import cards, runs

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


def test_description_says_where_the_rest_is() -> None:
    assert cards.description("# A card\n") == (
        "# A card\n\nThe whole card, with its pictures, is the artifact evaluation/card.html of the run.\n"
    )


def test_description_of_a_long_card_ends_with_a_whole_line() -> None:
    told = cards.description("a line of the card\n" * 1000)
    assert 4900 < len(told) <= cards.DESCRIPTION
    card, _, rest = told.partition("\n\n")
    assert {*card.splitlines()} == {"a line of the card"}
    assert "card.html" in rest


def test_evidence_is_the_report_with_what_the_run_knows(project: Path) -> None:
    with runs.training_run({"seed": 1, "network": {"dense": [8]}}) as run_id:
        pass
    client = runs.connect()
    manifest = Manifest("a.onnx", "", "", run_id=run_id, metrics={"test_accuracy": 0.5})
    bare = cards.evidence(client, manifest, project)
    assert (bare.figures, bare.gate) == ({"test_accuracy": 0.5}, None)
    (project / "metrics.json").write_text(json.dumps({"test_accuracy": 0.25}))
    (project / "promotion.json").write_text(json.dumps({"sentence": "Won."}))
    found = cards.evidence(client, manifest, project)
    assert (found.figures, found.gate) == ({"test_accuracy": 0.25}, {"sentence": "Won."})
    assert found.trained_with == {"seed": "1", "network.dense": "[8]"}
    assert found.processor.endswith(" cores")
