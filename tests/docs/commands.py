"""The commands that the Markdown pages tell a reader to type: lines of code blocks, and code in sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.sources import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", *("docs/*.md", "docs/decisions/*.md", "docs/lab/*.md"))
PROGRAMS = {
    *("bentoml", "digits", "dvc", "gto", "hf", "make", "mlflow", "pip", "python", "python3", "ray", "uv"),
    *("cp", "curl", "docker", "export", "git", "helm", "kubectl", "mkdir", "node", "npm", "npx"),
    *("openapi-python-client", "openssl", "rm", "source", "sqlite3", "ssh"),
}
ALONE = frozenset({"make"})
"""Programs whose bare name in a sentence is a command; other bare names only mention the program."""

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"[A-Z][A-Z_]*=")
_INNER = re.compile(r"\$\(([^()]*)\)")
_FILE = re.compile(r"\s>\s?\S+")
_COMMENT = re.compile(r"(^|\s)#\s.*$")


@dataclass(frozen=True)
class Command:
    """A command as a reader types it, in one line and without its comment, and the page where it stands."""

    page: str
    text: str


def pages() -> list[Path]:
    """The pages whose commands are looked at."""
    return [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]


@cache
def all_commands() -> tuple[Command, ...]:
    """Every command of every page, in the order of the pages; one that a page repeats is there once."""
    found = (
        Command(str(page.relative_to(ROOT)), text)
        for page in pages()
        for text in commands_in(page.read_text(encoding="utf-8"))
    )
    return tuple(dict.fromkeys(found))


def commands_in(markdown: str) -> Iterator[str]:
    """The commands in a page's text: first those of its blocks, then those in its sentences."""
    for language, block in _FENCE.findall(markdown):
        if language in ("", "sh"):
            yield from commands_of_block(block, shell=language == "sh")
    for text in inline_code(markdown):
        if is_command(text) and (len(words(text)) > 1 or text in ALONE):
            yield text


def inline_code(markdown: str) -> list[str]:
    """The code in a page's sentences, each in one line."""
    return [" ".join(code.split()) for code in _CODE.findall(_FENCE.sub("", markdown))]


def commands_of_block(block: str, shell: bool) -> Iterator[str]:
    """The lines of a block without comments; of a block in no language, only those that are commands."""
    for line in re.sub(r"\\\n\s*", " ", block).splitlines():
        text = " ".join(_COMMENT.sub("", line).split())
        if text and (is_command(text) if not shell else not is_setting(text)):
            yield text


def is_command(text: str) -> bool:
    """Whether it starts with a program that this project uses, after settings such as `HOST=0.0.0.0`."""
    return program(text) in PROGRAMS


def is_setting(text: str) -> bool:
    """Whether it is a line of a file of settings: NAME=VALUE, and no command after it."""
    return bool(_SETTING.match(text)) and not is_command(text)


def program(text: str) -> str:
    """The program that a command starts, without the folder of the virtual environment; empty for none."""
    rest = arguments(text)
    return rest[0].removeprefix(".venv/bin/") if rest else ""


def arguments(text: str) -> list[str]:
    """The program and its arguments, without the settings before it."""
    given = words(text)
    while given and _SETTING.match(given[0]):
        given = given[1:]
    return given


def settings(text: str) -> dict[str, str]:
    """The settings before the program."""
    given = words(text)
    before = given[: len(given) - len(arguments(text))]
    return dict(word.split("=", 1) for word in before)


def words(text: str) -> list[str]:
    """The words of a command as a shell splits them; of code that is no command, those between spaces."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def simple_commands(text: str) -> list[str]:
    """The commands of a line, where `&&` or `$( )` join several, without the files that they write."""
    parts = [_INNER.sub("", text), *_INNER.findall(text)]
    return [_FILE.sub("", part).strip() for whole in parts for part in whole.split(" && ")]
