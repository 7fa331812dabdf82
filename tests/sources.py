"""The project's Python files and their imports, found in the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("digits", "addresses", "feedback", "traffic", "pipeline", "service", "ui")


def modules(package: str) -> list[Path]:
    """The Python files of a package, relative to the project."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed source of a file; relative paths start at the project's folder."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported_names(path: Path) -> set[str]:
    """The dotted names of everything that a file imports, at the top or inside functions.

    `from a.b import c` gives "a.b.c", in which `c` may be a module or a name in one.
    """
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = ".".join(path.parts[-1 - node.level : -1]) if node.level else ""
            origin = ".".join(part for part in (here, node.module or "") if part)
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def imports(path: Path) -> set[Path]:
    """The project's own files that a file imports, with the `__init__.py` of each parent package."""
    return {file for name in imported_names(path) for file in _files(name)}


def closure(start: Path, leaves: frozenset[Path] = frozenset()) -> set[Path]:
    """All of the project's files that running `start` imports, including itself.

    Imports in `leaves` are not followed.
    """
    found, waiting = {start, *_packages_of(start)}, [start]
    while waiting:
        new = imports(waiting.pop()) - found
        found |= new
        waiting += new - leaves
    return found


def _files(name: str) -> Iterator[Path]:
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        folder = Path(*parts[:length])
        for path in (folder / "__init__.py", folder.with_suffix(".py")):
            if (ROOT / path).is_file():
                yield path


def _packages_of(path: Path) -> set[Path]:
    return {folder / "__init__.py" for folder in path.parents if (ROOT / folder / "__init__.py").is_file()}
