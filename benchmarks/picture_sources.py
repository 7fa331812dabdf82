"""Hashes of the files that decide how the pictures of the page and of the window in docs/images look.

docs/images/sources.json has the hash from when each picture was made, and a test compares it with the current
one. `python -m benchmarks.screenshots` writes the hashes of the pictures that it makes. The picture of the
window is made by hand; `python -m benchmarks.picture_sources window.png` then records that it is up to date.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
RECORD = IMAGES / "sources.json"
TEXTS = Path("ui/text.py")
PAGE = ("PAGE", "ui/canvas/*.css", "ui/canvas/*.html", "ui/canvas/*.js")
WINDOW = ("WINDOW", "ui/desktop/*.py")
SOURCES = {
    "page-number.png": PAGE,
    "page-phone.png": PAGE,
    "page-table.png": PAGE,
    "page-why-dark.png": PAGE,
    "window.png": WINDOW,
}
"""The sources of each picture: a table of ui/text.py, and glob patterns of files."""

_COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->|^\s*//.*?$", re.DOTALL | re.MULTILINE)


def shown(picture: str, root: Path = ROOT) -> str:
    """The SHA-256, in hex, of the sources of a picture, without comments on lines of their own and layout."""
    table, *patterns = SOURCES[picture]
    digest = hashlib.sha256(texts(table, root).encode())
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        digest.update(f"{path.relative_to(root).as_posix()}\n{without_comments(path)}\n".encode())
    return digest.hexdigest()


def texts(table: str, root: Path) -> str:
    """One of the tables of sentences in ui/text.py."""
    for node in ast.parse((root / TEXTS).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == table:
            return ast.dump(node)
    raise ValueError(f"{TEXTS} has no {table}")


def without_comments(path: Path) -> str:
    """The content of a file without layout and without comments on lines of their own, which do not show."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return ast.dump(ast.parse(text))
    return " ".join(_COMMENT.sub("", text).split())


def recorded() -> dict[str, str]:
    """The hash of each picture at the time when it was made."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8"))) if RECORD.exists() else {}


def record(pictures: Iterable[str]) -> None:
    """Record that these pictures show the current page or window."""
    hashes = recorded() | {picture: shown(picture) for picture in pictures}
    RECORD.write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.picture_sources",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pictures", nargs="+", choices=sorted(SOURCES), help="pictures that are up to date")
    record(parser.parse_args().pictures)


if __name__ == "__main__":
    main()
