"""The files that a browser with an empty cache fetches for the page."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Browser, Response


@dataclass(frozen=True)
class File:
    """One file of the first load: its address, and its size in bytes as sent and uncompressed."""

    path: str
    sent: int
    plain: int


def first_load(browser: Browser, address: str) -> dict[str, list[File]]:
    """The files that a browser with an empty cache fetches, by origin; ours are under canvas/ and ask/."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    page.wait_for_load_state("networkidle")
    whose: dict[str, list[File]] = {"ours": [], "Gradio's": []}
    for answer in answers:
        file = File(answer.url, answer.request.sizes()["responseBodySize"], len(answer.body()))
        whose["ours" if {"canvas", "ask"} & {*answer.url.split("/")} else "Gradio's"].append(file)
    context.close()
    return whose
