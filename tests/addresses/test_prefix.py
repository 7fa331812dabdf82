"""The path under which a proxy shows a server."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from addresses.prefix import UnderPrefix, prefix


async def where(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(request.url))


def client(path: str) -> TestClient:
    app = Starlette(routes=[Route("/", where), Route("/there", where)])
    return TestClient(UnderPrefix(app, path), base_url="http://host")


@pytest.mark.parametrize("asked", ["/digits/there", "/there"])
def test_application_is_found_whether_or_not_the_proxy_has_taken_the_prefix_off(asked: str) -> None:
    assert client("/digits").get(asked).text == "http://host/digits/there"


def test_prefix_alone_leads_to_where_relative_links_work() -> None:
    answer = client("/digits").get("/digits", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/digits/")


def test_a_longer_name_is_no_prefix() -> None:
    assert client("/digits").get("/digits-api").status_code == 404


def test_without_a_prefix_nothing_changes() -> None:
    assert client("").get("/there").text == "http://host/there"


@pytest.mark.parametrize(
    ("setting", "path"), [("", ""), ("/", ""), ("/digits/", "/digits"), (" /a/b ", "/a/b")]
)
def test_setting_is_a_path(monkeypatch: pytest.MonkeyPatch, setting: str, path: str) -> None:
    monkeypatch.setenv("PAGE_ROOT_PATH", setting)
    assert prefix("PAGE_ROOT_PATH") == path


@pytest.mark.parametrize(
    "setting", ["digits", "https://example.org/digits", "//evil.example", "/a?b", "/a b"]
)
def test_setting_that_is_no_path_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("PAGE_ROOT_PATH", setting)
    with pytest.raises(ValueError, match="PAGE_ROOT_PATH must be a path"):
        prefix("PAGE_ROOT_PATH")
