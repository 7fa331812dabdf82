"""Records the files that the page uploads for an answer."""

from __future__ import annotations

import base64

from playwright.sync_api import Page

from tests.browser.hand import answer

_WATCH = """() => {
  const original = window.fetch;
  window.fetch = async (address, options) => {
    if (String(address).endsWith("/ask/read")) {
      const file = options.body.get("image");
      const bytes = new Uint8Array(await file.arrayBuffer());
      let binary = "";
      for (const byte of bytes) binary += String.fromCharCode(byte);
      window.uploaded = btoa(binary);
    }
    return original(address, options);
  };
}"""


def watch(page: Page) -> None:
    """Record uploads from now on."""
    page.evaluate(_WATCH)


def uploaded(page: Page) -> bytes:
    """The file of the newest answer."""
    answer(page)
    return base64.b64decode(page.evaluate("uploaded"))
