"""The preferred one of two media types, by the `Accept` header."""

from __future__ import annotations

import pytest

from service.endpoints.accept import preferred

JSON, CSV = "application/json", "text/csv"


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv",
        "Text/CSV; charset=utf-8",
        "text/csv;header=present;q=0.5",
        "text/csv, application/json;q=0.9",
        "application/json; q=0.2 ,text/csv ; q=0.3",
        "text/csv, */*;q=0.1",
        "text/*",
        "application/json;q=0, */*",
        "text/html, text/csv;q=0.001",
        "text/csv;q=0.2, text/csv;q=0.8, application/json;q=0.5",
    ],
)
def test_csv_is_asked_for(accept: str) -> None:
    assert preferred([accept], (JSON, CSV)) == CSV


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "text/csv;q=0",
        "text/csv;q=0.0, */*;q=0",
        "text/csv, application/json",  # no preference
        "text/csv;q=0.5, */*;q=0.5",
        "text/csv;q=0.3, application/*;q=0.4",
        "text/*, text/csv;q=0",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "text/csv;q=2",
        "text/csv;q=high",
        "text/csv;q=nan",
        "text/csv;q=",
        "text/csvx",
        ",;,=;q",
    ],
)
def test_csv_is_not_asked_for(accept: str) -> None:
    assert preferred([accept], (JSON, CSV)) == JSON


def test_several_headers_are_one_list() -> None:
    assert preferred(["text/html", "text/csv"], (JSON, CSV)) == CSV
    assert preferred(["text/csv;q=0.5", "application/json"], (JSON, CSV)) == JSON
    assert preferred([], (JSON, CSV)) == JSON
