"""`/feedback` stores a picture with its label, if enabled, and refuses everything else with an error."""

from __future__ import annotations

import hashlib
import json
import logging
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.testclient import TestClient

from feedback.labels import MOST_CHARACTERS
from feedback.store import Limits, Store
from service.errors import Busy
from service.runtime.logs import JsonLines
from service.runtime.queues import Queue

MakeClient = Callable[..., TestClient]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "feedback", Limits(most=5, free_bytes=0))


@pytest.fixture
def asking(tiny_model: Path, make_client: MakeClient, store: Store) -> TestClient:
    """A client of a service that stores feedback."""
    return make_client(tiny_model, feedback=store, origins=["https://Friend.example"])


def say(client: TestClient, picture: bytes, label: str | bytes, **headers: str) -> Any:
    return client.post("/feedback", files={"image": picture}, data={"label": label}, headers=headers)


def refusal(answer: Any) -> tuple[int, str]:
    assert set(answer.json()) == {"error", "code"}
    return answer.status_code, answer.json()["code"]


def test_feedback_is_off_unless_a_folder_is_named(client: TestClient, seven: bytes) -> None:
    assert refusal(client.get("/feedback")) == (404, "feedback_off")
    answer = say(client, seven, "1")
    assert refusal(answer) == (404, "feedback_off")
    assert "FEEDBACK_DIR" in answer.json()["error"]


def test_a_picture_is_kept_as_sent_with_what_the_model_answers(
    asking: TestClient, store: Store, seven: bytes
) -> None:
    assert asking.get("/feedback").json() == {"kept": 0, "most": 5}
    answer = say(asking, seven, "1")
    assert answer.status_code == 200
    assert answer.json() == {"id": hashlib.sha256(seven).hexdigest()}
    assert asking.get("/feedback").json() == {"kept": 1, "most": 5}
    (kept,) = store.kept()
    assert kept.picture(store.folder).read_bytes() == seven
    assert (kept.label, kept.answer, kept.model, kept.state) == ("1", "7", "1", "new")
    assert kept.confidence is not None
    assert kept.confidence > 0.5


def test_numbers_and_marks_that_are_none_are_kept_too(
    asking: TestClient, store: Store, draw: Callable[..., Any], encoded: Callable[..., bytes], white: bytes
) -> None:
    number = encoded(draw("174", (500, 200), 100))
    assert say(asking, number, " 17  41\r\n-3,5 ").status_code == 200
    assert say(asking, white, "not_a_digit").status_code == 200
    assert {(kept.label, kept.answer) for kept in store.kept()} == {
        ("17 41\n-3,5", "174"),
        ("not_a_digit", ""),
    }


@pytest.fixture
def white(draw: Callable[..., Any], encoded: Callable[..., bytes]) -> bytes:
    """A blank picture."""
    return encoded(draw(""))


@pytest.mark.parametrize("label", ["", "seven", "?", "-", b"\xff", "1" * (MOST_CHARACTERS + 1)])
def test_other_labels_are_refused_with_what_to_send(
    asking: TestClient, store: Store, seven: bytes, label: str | bytes
) -> None:
    form: dict[str, Any] = {"image": ("a.png", seven), "label": (None, label)}
    answer = asking.post("/feedback", files=form)
    assert refusal(answer) == (422, "wrong_field")
    assert "Send a digit" in answer.json()["error"]
    assert store.count() == 0


def test_forms_without_both_fields_are_refused(asking: TestClient, store: Store, seven: bytes) -> None:
    answer = asking.post("/feedback", files={"image": seven})
    assert refusal(answer) == (422, "wrong_field")
    assert answer.json()["error"].startswith("The field `label` is missing. Send what the picture shows")
    answer = asking.post("/feedback", files={"picture": seven}, data={"label": "7"})
    assert "The field `image` is missing" in answer.json()["error"]
    answer = asking.post("/feedback", files={"image": seven}, data={"label": ["7", "1"]})
    assert "The field `label` occurs 2 times" in answer.json()["error"]
    answer = asking.post("/feedback", json={"label": "7"})
    assert answer.json()["error"].endswith("Send the multipart fields `image` and `label`.")
    assert refusal(say(asking, b"no picture", "7")) == (400, "broken_image")
    assert refusal(say(asking, seven[:100], "7")) == (400, "broken_image")
    assert refusal(say(asking, b"%PDF", "7")) == (415, "wrong_kind")
    assert store.count() == 0


def test_only_own_and_named_web_pages_may_send(asking: TestClient, store: Store, seven: bytes) -> None:
    refused = say(asking, seven, "1", Origin="https://evil.example")
    assert refusal(refused) == (403, "foreign_origin")
    assert "CORS_ORIGINS" in refused.json()["error"]
    assert store.count() == 0
    for origin in ("http://testserver", "https://friend.example"):
        assert say(asking, seven, "1", Origin=origin).status_code == 200


def test_key_is_asked_for(tiny_model: Path, make_client: MakeClient, store: Store, seven: bytes) -> None:
    client = make_client(tiny_model, feedback=store, api_key="key")
    assert refusal(say(client, seven, "1")) == (401, "unauthorized")
    assert refusal(client.get("/feedback")) == (401, "unauthorized")
    assert say(client, seven, "1", Authorization="Bearer key").status_code == 200


def test_more_than_the_limit_is_refused(
    asking: TestClient, draw: Callable[..., Any], encoded: Callable[..., bytes]
) -> None:
    for digit in range(5):
        assert say(asking, encoded(draw(str(digit))), "1").status_code == 200
    answer = say(asking, encoded(draw("9")), "1")
    assert refusal(answer) == (507, "feedback_full")
    assert "FEEDBACK_MOST" in answer.json()["error"]
    assert say(asking, encoded(draw("4")), "9").status_code == 200, "what is kept can still be corrected"
    assert asking.get("/feedback").json() == {"kept": 5, "most": 5}


def test_a_disk_that_fills_up_is_said_and_nothing_is_left(
    asking: TestClient, store: Store, seven: bytes
) -> None:
    store.prepare()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))  # the worst moment: inside the picture
    try:
        answer = say(asking, seven, "1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refusal(answer) == (507, "feedback_full")
    assert {path.name for path in store.folder.iterdir()} <= {".lock"}
    assert say(asking, seven, "1").status_code == 200


def test_a_folder_that_is_gone_bad_is_named_in_the_log_only(
    tiny_model: Path,
    make_client: MakeClient,
    tmp_path: Path,
    seven: bytes,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    (tmp_path / "a-file").touch()
    client = make_client(tiny_model, feedback=Store(tmp_path / "a-file", Limits(free_bytes=0)))
    for answer in (say(client, seven, "1"), client.get("/feedback")):
        assert refusal(answer) == (503, "feedback_away")
        assert str(tmp_path) not in answer.text
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert str(tmp_path) in lines[0]["reason"]


def test_feedback_is_counted_and_not_as_an_answer(
    asking: TestClient, seven: bytes, white: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def counts() -> list[float]:
        sample = REGISTRY.get_sample_value
        return [
            *(sample("digits_feedback_total", {"outcome": outcome}) or 0 for outcome in ("right", "wrong")),
            sample("digits_answers_total", {"answer": "7"}) or 0,
        ]

    before = counts()
    caplog.set_level("INFO", "service")
    for picture, label in ((seven, "1"), (seven, "2047"), (seven, "7"), (white, "not_a_digit"), (white, "7")):
        assert say(asking, picture, label).status_code == 200
    assert counts() == [before[0] + 2, before[1] + 3, before[2]]
    assert "2047" not in asking.get("/metrics").text
    assert "2047" not in caplog.text


def test_too_much_at_once_is_refused(
    asking: TestClient, store: Store, seven: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk is too slow, requests are refused before their body is read, once the queue is full."""

    def full(_queue: Queue) -> None:
        raise Busy("The service is busy. Try again in a second.")

    monkeypatch.setattr(Busy, "held_seconds", 0.0)
    monkeypatch.setattr(Queue, "admit", full)
    assert refusal(say(asking, seven, "1")) == (503, "busy")
    assert store.count() == 0
