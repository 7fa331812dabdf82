"""Which web pages' scripts may send requests."""

from __future__ import annotations

import pytest

from addresses.origins import let_in


@pytest.mark.parametrize(
    ("origin", "host", "named", "let"),
    [
        ("", "127.0.0.1:3000", [], True),  # no browser
        ("http://127.0.0.1:3000", "127.0.0.1:3000", [], True),
        ("https://Digits.example", "digits.example", [], True),  # a proxy does TLS
        ("https://evil.example", "127.0.0.1:3000", [], False),
        ("http://127.0.0.1:8000", "127.0.0.1:3000", [], False),
        ("null", "127.0.0.1:3000", [], False),
        ("null", "", [], False),
        ("https://friend.example", "127.0.0.1:3000", ["https://friend.example"], True),
        ("https://friend.example", "127.0.0.1:3000", ["*"], True),
    ],
)
def test_only_own_and_named_pages_are_let_in(origin: str, host: str, named: list[str], let: bool) -> None:
    assert let_in(origin, host, named) is let
