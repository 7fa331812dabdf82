"""The history of the champion in the registry, and the versions to which a rollback returns."""

from __future__ import annotations

import re

import pytest
from mlflow import MlflowClient

from pipeline.registry import history, runs
from pipeline.registry.history import MOVE, PROMOTION, ROLLBACK, Change

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]


def change(before: str, version: str, kind: str = PROMOTION, reason: str = "better") -> Change:
    return Change("2026-01-02T03:04:05+00:00", before, version, reason, "test", kind)


def record(client: MlflowClient, made: Change) -> None:
    history.append(client, made, history.begin(client, made))


def numbers(client: MlflowClient) -> list[str]:
    """The keys of all tags that record a change."""
    tags = client.get_registered_model("digits").tags
    return sorted(key[:16] for key in tags if key[10:16].isdecimal())


@pytest.fixture
def client(project: object) -> MlflowClient:  # noqa: ARG001 (the registry is in it)
    """A registry with the model but without versions."""
    client = runs.connect()
    client.create_registered_model("digits")
    return client


@pytest.mark.parametrize(
    ("done", "versions"),
    [
        ([], []),
        ([change("", "1")], ["1"]),
        ([change("4", "5")], ["4", "5"]),
        ([change("", "1"), change("1", "2"), change("2", "1")], ["1", "2", "1"]),
        ([change("", "1"), change("1", "2"), change("2", "1", ROLLBACK)], ["1"]),
        ([change("", "1"), change("1", "2"), change("2", "3"), change("3", "1", ROLLBACK)], ["1"]),
        (
            [
                change("", "1"),
                change("1", "2"),
                change("2", "1"),
                change("1", "3"),
                change("3", "1", ROLLBACK),
            ],
            ["1", "2", "1"],
        ),
        ([change("", "1"), change("1", "2"), change("2", "1", ROLLBACK), change("1", "3")], ["1", "3"]),
        ([change("", "1"), change("1", "2"), change("2", "1", MOVE)], ["1", "2", "1"]),
        ([change("1", "2"), change("2", "9", ROLLBACK)], ["1", "2", "9"]),
    ],
)
def test_stack(done: list[Change], versions: list[str]) -> None:
    assert history.stack(done) == versions


@pytest.mark.usefixtures("project")
def test_changes_without_a_registered_model() -> None:
    assert history.changes(runs.connect()) == []


def test_changes_are_in_their_order_with_all_they_say(client: MlflowClient) -> None:
    made = [change(str(number), str(number + 1), reason=f"Ünder „{number}“") for number in range(12)]
    for one in made:
        record(client, one)
    assert history.changes(client) == made
    assert numbers(client)[-1] == "promotion.000012"


def test_changes_leave_out_what_somebody_broke_and_go_on_after_it(client: MlflowClient) -> None:
    record(client, change("", "1"))
    for key, value in (("promotion.000002", "{"), ("promotion.000003", "[]"), ("promotion.mine", "7")):
        client.set_registered_model_tag("digits", key, value)
    record(client, change("2", "5"))
    assert [one.version for one in history.changes(client)] == ["1", "5"]
    assert "promotion.000004" in numbers(client)


def test_append_cuts_a_long_reason(client: MlflowClient) -> None:
    record(client, change("", "1", reason="x" * 200_000))
    assert history.changes(client)[0].reason == "x" * 1000


def test_unrecorded_is_what_was_begun_and_killed(client: MlflowClient) -> None:
    record(client, change("", "1"))
    begun = change("1", "2", ROLLBACK)
    key = history.begin(client, begun)
    assert history.unrecorded(client, "1", "sync") is None
    assert history.unrecorded(client, "2", "sync") == (begun, key)


def test_unrecorded_is_a_move_where_something_else_was_begun(client: MlflowClient) -> None:
    found, _ = history.unrecorded(client, "4", "sync") or (None, "")
    assert found is not None
    assert (found.before, found.version, found.kind) == ("", "4", MOVE)
    assert found.reason == "alias found in the registry"
    record(client, change("", "1"))
    record(client, change("1", "2"))
    for version in ("1", "3"):  # the last change that was begun, to 2, is already on record
        found, _ = history.unrecorded(client, version, "follower") or (None, "")
        assert found is not None
        assert (found.before, found.version, found.by, found.kind) == ("2", version, "follower", MOVE)
        assert found.reason == "alias moved in the registry"


def test_two_machines_that_change_the_champion_at_once_both_record_it(client: MlflowClient) -> None:
    record(client, change("", "1"))
    one, other = change("1", "2", reason="one"), change("1", "3", reason="other")
    keys = [history.begin(client, begun) for begun in (one, other)]
    for begun, key in zip((one, other), keys, strict=True):
        history.append(client, begun, key)
    assert {told.reason for told in history.changes(client)} == {"better", "one", "other"}


def test_what_several_find_is_recorded_once(client: MlflowClient) -> None:
    """Each machine's follower notices a moved alias, or a change that is about to be recorded."""
    for version in ("1", "2"):
        found = [history.unrecorded(client, version, f"follower {name}") for name in "abc"]
        for one in found:
            assert one is not None
            history.append(client, *one)
    begun = change("2", "3")
    key = history.begin(client, begun)
    theirs = history.unrecorded(client, "3", "follower")
    assert theirs is not None
    for one in ((begun, key), theirs):
        history.append(client, *one)
    assert [told.version for told in history.changes(client)] == ["1", "2", "3"]


def test_records_of_before_are_read(client: MlflowClient) -> None:
    client.set_registered_model_tag("digits", "promotion.000001", change("", "1").as_json())
    record(client, change("1", "2"))
    assert [told.version for told in history.changes(client)] == ["1", "2"]


def test_now_is_utc_to_the_second() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", history.now())
