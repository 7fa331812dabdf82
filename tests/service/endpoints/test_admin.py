"""The model card over HTTP: a page that may not run or load anything, or an error."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from digits import DEFAULT_MODEL

MakeClient = Callable[..., TestClient]


def test_card_is_a_page_that_can_load_and_run_nothing(make_client: MakeClient, tmp_path: Path) -> None:
    answer = make_client(tmp_path / "none").get("/model/card")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (DEFAULT_MODEL / "card.html").read_bytes()
    rules = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "img-src data:", "sandbox"} <= {*rules}
    assert not [rule for rule in rules if rule.startswith("script-src") or "http" in rule]


def test_card_of_a_model_without_one(client: TestClient) -> None:
    answer = client.get("/model/card")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "has no model card" in answer.json()["error"]


def test_card_asks_for_the_key_as_the_model_does(make_client: MakeClient, tiny_model: Path) -> None:
    client = make_client(tiny_model, api_key="open sesame")
    assert client.get("/model/card").status_code == 401


def test_card_changes_with_the_model_over_http(
    serving: Callable[..., Any],
    promote: Callable[..., None],
    nearest_digit: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    """In a real process: first the default model's card, then that of the new champion."""
    folder = tmp_path / "champion"
    with serving(folder, tmp_path / "home") as server:
        assert b"the default model" in server.get("/model/card").content
        card = f"<p>{hashlib.sha256(nearest_digit()).hexdigest()}</p>"
        folder.mkdir()
        (folder / "card.html").write_text(card)
        promote(folder, "2")
        end = time.monotonic() + 30
        while server.get("/model").json()["version"] != "2":
            assert time.monotonic() < end
            time.sleep(0.1)
        assert server.get("/model/card").text == card
