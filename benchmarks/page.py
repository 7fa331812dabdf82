"""Timings of the page in a real browser: last pointer move to answer, first paint, and load.

Service and page must be running (`make run`); then `python benchmarks/page.py [ADDRESS]`.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.conftest import FLAGS
from tests.browser.hand import draw
from tests.browser.load import first_load

ROUNDS = 5

# Records the times of pointer events and answers by the page's clock, and counts the requests.
WATCH = """() => {
  window.seen = {moved: 0, shown: 0, asked: 0};
  const canvas = document.querySelector("#canvas");
  for (const name of ["pointermove", "pointerup"]) {
    const note = (event) => { if (event.buttons || name === "pointerup") seen.moved = event.timeStamp; };
    canvas.addEventListener(name, note, true);
  }
  new MutationObserver(() => requestAnimationFrame(() => (seen.shown = performance.now())))
    .observe(document.querySelector("#took"), {childList: true, characterData: true, subtree: true});
  const fetched = window.fetch;
  window.fetch = (address, ...rest) => {
    seen.asked += String(address).endsWith("/read");
    return fetched(address, ...rest);
  };
}"""


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        paints = [first_paint(browser, address) for _ in range(ROUNDS)]
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("[data-ready]")
        page.evaluate(WATCH)
        answers = [answer_time(page, digit) for _ in range(ROUNDS) for digit in range(10)]
        asked = page.evaluate("seen.asked") / len(answers)
        load = first_load(browser, address)
        browser.close()
    answers.sort()
    print(
        f"last pointer event to label  median {statistics.median(answers):.0f} ms, "
        f"p95 {answers[int(len(answers) * 0.95)]:.0f} ms, worst {answers[-1]:.0f} ms ({len(answers)} digits)"
    )
    print(f"requests per digit           {asked:.1f}")
    print(
        f"first contentful paint       median {statistics.median(paints):.0f} ms, worst {max(paints):.0f} ms"
    )
    for whose, files in load.items():
        sent, plain = sum(file.sent for file in files), sum(file.plain for file in files)
        print(
            f"first load, {whose:16} {len(files)} files, {sent / 1000:.0f} kB as sent, {plain / 1000:.0f} kB"
        )


def first_paint(browser: Browser, address: str) -> float:
    """Milliseconds to the first contentful paint with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    context.close()
    return paint


def answer_time(page: Page, digit: int) -> float:
    """Milliseconds from the last pointer event of a digit to the frame that shows its answer."""
    page.click("#clear")
    page.wait_for_selector("#answer[aria-busy=false]")
    draw(page, digit)
    page.wait_for_selector("#answer[aria-busy=false]")
    page.wait_for_function("seen.shown > seen.moved")
    elapsed: float = page.evaluate("seen.shown - seen.moved")
    return elapsed


if __name__ == "__main__":
    main()
