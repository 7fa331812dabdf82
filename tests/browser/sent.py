"""What the page sends when it asks for an answer: the bytes of the file."""

from __future__ import annotations

import base64

from playwright.sync_api import Page

from tests.browser.hand import answer

_WATCH = """() => {
  const asked = window.fetch;
  window.fetch = async (address, options) => {
    if (String(address).endsWith("/ask/read")) {
      const file = options.body.get("image");
      const bytes = new Uint8Array(await file.arrayBuffer());
      let letters = "";
      for (const byte of bytes) letters += String.fromCharCode(byte);
      window.sent = btoa(letters);
    }
    return asked(address, options);
  };
}"""


def watch(page: Page) -> None:
    """From now on, note what is sent."""
    page.evaluate(_WATCH)


def sent(page: Page) -> bytes:
    """The file that the newest answer is about."""
    answer(page)
    return base64.b64decode(page.evaluate("sent"))
