"""The project does not use private parts of other packages, and does not patch them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import PACKAGES, imported_names, modules, tree


def private_imports(path: Path) -> set[str]:
    """Return the imports of a file from other packages with a leading underscore anywhere in their names."""
    internal = {
        ast.unparse(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "_internal"
    }
    return internal | {
        name
        for name in imported_names(path)
        if not _is_ours(name)
        and any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
    }


def replaced(path: Path) -> list[str]:
    """Return assignments to attributes of objects from other packages."""
    foreign = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree(path))
        for alias in _aliases_of_others(node)
    }
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = _root(node.value) if node.value is not None else None
            foreign |= {
                t.id for t in targets if isinstance(t, ast.Name) and value in foreign and _is_path(node)
            }
            stored = [
                part for target in targets for part in ast.walk(target) if isinstance(part, ast.Attribute)
            ]
            found += [ast.unparse(t) for t in stored if isinstance(t.ctx, ast.Store) and _root(t) in foreign]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "setattr"
            and _root(node.args[0]) in foreign
        ):
            found.append(ast.unparse(node))
    return found


def _aliases_of_others(node: ast.AST) -> Iterator[ast.alias]:
    if isinstance(node, ast.Import):
        yield from (alias for alias in node.names if not _is_ours(alias.name))
    elif isinstance(node, ast.ImportFrom) and not node.level and not _is_ours(node.module or ""):
        yield from node.names


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in PACKAGES


def _root(node: ast.expr) -> str | None:
    """Return the first name of an expression like `a.b.c`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_path(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
    """Whether a name or `a.b.c` is assigned, which is an alias of the same object."""
    return isinstance(node.value, ast.Name | ast.Attribute)


ALL = [path for package in PACKAGES for path in modules(package)]


@pytest.mark.parametrize("path", ALL, ids=str)
def test_nothing_private_is_imported(path: Path) -> None:
    assert not private_imports(path)


@pytest.mark.parametrize("path", ALL, ids=str)
def test_nothing_of_others_is_replaced(path: Path) -> None:
    assert not replaced(path)


def test_what_is_private_or_replaced_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "service" / "sample.py"
    module.parent.mkdir()
    module.write_text(
        "from typing import Any\n"
        "from bentoml._internal.utils import usage\n"
        "from uvicorn.protocols.http import auto\n"
        "import PIL.Image\n"
        "place: Any = auto\n"
        "place.AutoHTTPProtocol = object\n"
        "PIL.Image.MAX_IMAGE_PIXELS = None\n"
        "setattr(auto, 'AutoHTTPProtocol', object)\n"
        "auto.one, PIL.two = 1, 2\n"
        "print(PIL._internal.secret)\n"
    )
    assert private_imports(module) == {"bentoml._internal.utils.usage", "PIL._internal"}
    assert set(replaced(module)) == {
        "place.AutoHTTPProtocol",
        "PIL.Image.MAX_IMAGE_PIXELS",
        "setattr(auto, 'AutoHTTPProtocol', object)",
        "auto.one",
        "PIL.two",
    }
