"""A short document with tables and pictures, rendered as Markdown or as a self-contained web page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

PICTURE_BYTES = 70_000  # the most for one picture, which is scaled down until it fits
COLOURS = 64  # per picture, which is enough for charts and grey digits

_PAGE = Path(__file__).with_name("document.html")
_MARKDOWN = re.compile(r"([\\`*\[\]<>|])")


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its text and its URL."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: Sequence[str | Link]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header row, whose first column labels each row.

    `names` are identifiers of the rows, which the page shows in small type. To keep Markdown short, it leaves
    out these names and all tables with `is_detail`.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: Sequence[str] = ()
    is_detail: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, identified by its file name, with its text alternative `alt`. Markdown leaves it out."""

    name: str
    alt: str
    caption: str


Part = Text | Items | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A section: a title and its parts."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document; `names` become `meta` elements of the page."""

    title: str
    sections: Sequence[Section]
    names: Mapping[str, str]


def markdown(document: Document) -> str:
    """Return the document as GitHub-flavoured Markdown, without its pictures and details."""
    blocks = [f"# {_marked(document.title)}"]
    for section in document.sections:
        blocks.append(f"## {_marked(section.title)}")
        blocks += filter(None, map(_as_markdown, section.parts))
    return "\n\n".join(blocks) + "\n"


def page(document: Document, pictures: Mapping[str, bytes]) -> str:
    """Return the document as self-contained HTML with its style and `pictures` (PNG files by name).

    Pictures that are not given are left out.
    """
    body = [f"<h1>{escape(document.title)}</h1>"]
    for section in document.sections:
        body.append(f"<section>\n<h2>{escape(section.title)}</h2>")
        body += [_as_html(part, pictures) for part in section.parts]
        body.append("</section>")
    names = [f'<meta name="{escape(name)}" content="{escape(it)}">' for name, it in document.names.items()]
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(document.title), names="\n".join(names), body="\n".join(filter(None, body))
    )


def _marked(words: str) -> str:
    return _MARKDOWN.sub(r"\\\1", words)


def _as_markdown(part: Part) -> str:
    match part:
        case Picture() | Table(is_detail=True):
            return ""
        case Text(words):
            return "".join(
                f"[{_marked(one.words)}]({one.address})" if isinstance(one, Link) else _marked(one)
                for one in words
            )
        case Items(sentences):
            return "\n".join(f"- {_marked(sentence)}" for sentence in sentences)
        case Table(caption, heads, rows):
            lines = [heads, ["---"] * len(heads), *rows]
            table = "\n".join(f"| {' | '.join(map(_marked, line))} |" for line in lines)
            return f"{_marked(caption)}\n\n{table}"


def _as_html(part: Part, pictures: Mapping[str, bytes]) -> str:
    match part:
        case Text(words):
            written = (
                f'<a href="{escape(one.address)}" rel="noreferrer">{escape(one.words)}</a>'
                if isinstance(one, Link)
                else escape(one)
                for one in words
            )
            return f"<p>{''.join(written)}</p>"
        case Items(sentences):
            items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
            return f"<ul>\n{items}\n</ul>"
        case Table(caption, heads, rows, names):
            head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
            lines = "\n".join(
                f'<tr><th scope="row">{escape(row[0])}{_name(name)}</th>'
                f"{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
                for row, name in zip(rows, names or [""] * len(rows), strict=True)
            )
            label = escape(caption)
            return (
                f'<div class="wide" role="region" aria-label="{label}" tabindex="0">\n<table>\n'
                f"<caption>{label}</caption>\n<thead><tr>{head}</tr></thead>\n"
                f"<tbody>\n{lines}\n</tbody>\n</table>\n</div>"
            )
        case Picture(name, alt, caption):
            if name not in pictures:
                return ""
            png = base64.b64encode(pictures[name]).decode()
            return (
                f'<figure><img src="data:image/png;base64,{png}" alt="{escape(alt)}">'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )


def _name(name: str) -> str:
    return f"<br><code>{escape(name)}</code>" if name else ""


def small_png(path: Path) -> bytes:
    """Return a picture as a PNG with few colours, scaled down to at most `PICTURE_BYTES`."""
    with Image.open(path) as image:
        image.load()
        white = Image.new("RGBA", image.size, "white")
        picture = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    while True:
        content = io.BytesIO()
        picture.quantize(COLOURS).save(content, "PNG", optimize=True)
        if content.tell() <= PICTURE_BYTES:
            return content.getvalue()
        picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)
