"""A document as Markdown and as a page, with escaped text in both, and scaled pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.evaluation import document
from pipeline.evaluation.document import Document, Items, Link, Picture, Section, Table, Text, small_png


def made(*parts: document.Part) -> Document:
    return Document("A & B", [Section("One", parts)], {"model": "abc"})


def test_markdown_escapes_what_would_be_markup() -> None:
    parts = (Text(["a <b> *c* ", Link("[d]", "https://example.org")]), Items(["e | f"]))
    assert document.markdown(made(*parts)) == (
        "# A & B\n\n## One\n\na \\<b\\> \\*c\\* [\\[d\\]](https://example.org)\n\n- e \\| f\n"
    )


def test_markdown_leaves_out_names_details_and_pictures() -> None:
    table = Table("C", ("What", "Figure"), [("x", "1|2")], ["name"])
    detail = Table("D", ("What",), [("y",)], is_detail=True)
    told = document.markdown(made(table, detail, Picture("p.png", "p", "p")))
    assert told == "# A & B\n\n## One\n\nC\n\n| What | Figure |\n| --- | --- |\n| x | 1\\|2 |\n"


def test_page_escapes_what_would_be_markup() -> None:
    table = Table('C"', ("<i>",), [("<script>", "$5")], ["n&m"])
    told = document.page(made(Text(["<b>"]), Items(["<u>"]), table), {})
    for markup in ("<b>", "<u>", "<i>", "<script>"):
        assert markup not in told
    assert 'aria-label="C&quot;"' in told
    assert "<code>n&amp;m</code>" in told
    assert "<td>$5</td>" in told
    assert '<meta name="model" content="abc">' in told
    assert "<title>A &amp; B</title>" in told


def test_page_holds_the_pictures_that_there_are() -> None:
    told = document.page(
        made(Picture("p.png", "what", "said"), Picture("q.png", "other", "")), {"p.png": b"x"}
    )
    assert '<img src="data:image/png;base64,eA==" alt="what">' in told
    assert "other" not in told


def test_small_png_keeps_a_small_picture_and_puts_white_behind_it(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(tmp_path / "a.png")
    with Image.open(BytesIO(small_png(tmp_path / "a.png"))) as image:
        assert image.size == (40, 30)
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_small_png_scales_until_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    monkeypatch.setattr(document, "PICTURE_BYTES", 20_000)
    content = small_png(tmp_path / "a.png")
    assert len(content) <= 20_000
    with Image.open(BytesIO(content)) as image:
        assert 40 <= image.width < 300
        assert image.width / image.height == pytest.approx(1.5, abs=0.1)
