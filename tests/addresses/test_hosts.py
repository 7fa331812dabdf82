"""Which host names a server accepts."""

from __future__ import annotations

import socket

import pytest

from addresses.hosts import Hosts, listed


@pytest.mark.parametrize(
    "header",
    [
        *("127.0.0.1", "127.0.0.1:7860", "192.168.1.20:7860", "[::1]:7860", "[fe80::1]"),
        *("localhost:3000", "LOCALHOST", "localhost.", "app.localhost", "laptop.local:7860"),
        *("page", "mlflow:5000", "digits_service_1", "host.docker.internal", ""),
        socket.gethostname(),
    ],
)
def test_addresses_and_local_names_are_let_in(header: str) -> None:
    assert Hosts().let_in(header)


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example:1"),
        *("local.evil.example", "evil.example.", "a b.local", '"><script>.local', "evil.example/.local"),
        *("[evil.example]", "user@localhost", "127.0.0.1, evil.example", "\u0131.local"),
    ],
)
def test_other_names_are_not(header: str) -> None:
    assert not Hosts().let_in(header)


def test_names_of_the_setting_are_let_in_and_no_others() -> None:
    hosts = Hosts(listed("Digits.example.org, *.example.net"))
    assert hosts.let_in("digits.example.org:443")
    assert hosts.let_in("one.example.net")
    assert hosts.let_in("two.one.example.net")
    assert not hosts.let_in("example.net")
    assert not hosts.let_in("evilexample.net")
    assert not hosts.let_in("other.example.org")
    assert Hosts(listed("*")).let_in("anything.example")


def test_refusal_says_what_to_set() -> None:
    sentence = Hosts().refusal("evil.example:7860")
    assert "`evil.example`" in sentence
    assert "ALLOWED_HOSTS" in sentence
