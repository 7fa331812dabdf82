"""Allowed imports between packages, which keep them independent (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.sources import PACKAGES, ROOT, imported_names, imports, modules, tree

ALLOWED = {
    "digits": {"digits"},
    "traffic": {"traffic", "digits"},
    "pipeline": {"pipeline", "digits", "feedback", "traffic"},
    "addresses": {"addresses"},
    "feedback": {"feedback"},
    "service": {"service", "digits", "addresses", "feedback", "traffic"},
    "ui": {"ui", "addresses"},
}
EXCEPTIONS = {Path("ui/desktop/__main__.py"): {"digits"}}  # for --local, which reads without a service
HEAVY = {"tensorflow", "keras", "mlflow", "dvc"}

FLOORS = {  # for each package, the subpackages and files that others may import, from the lowest up
    "digits": ("errors", "network", "ink", "layout", "results", "reader", "output", "pictures", "cluster"),
    "pipeline": (
        "project",
        "reviewing",
        "mnist",
        "synthesis",
        "training",
        "evaluation",
        "registry",
        "tuning",
        "learning",
        "monitoring",
        "reproduction",
    ),
    "service": ("errors", "answers", "openapi", "pictures", "runtime", "endpoints", "app"),
    "addresses": ("hosts", "origins", "prefix"),
    "feedback": ("errors", "labels", "record", "store"),
    "traffic": ("features", "counts", "slots", "windows", "drift"),
    "ui": (
        "text",
        "refusals",
        "host_check",
        "origins",
        "bodies",
        "document",
        "client",
        "proxy",
        "uploads",
        "programs",
        "lazy_queue",
        "desktop",
    ),
}


def all_modules() -> list[Path]:
    return [path for package in PACKAGES for path in modules(package)]


def imported(path: Path) -> set[str]:
    """Return the top-level names of all imports of a module."""
    return {name.split(".")[0] for name in imported_names(path)}


def floor(path: Path) -> int | None:
    """Return the level of a file in its package; None for commands and `__init__`."""
    floors = FLOORS[path.parts[0]]
    place = Path(path.parts[1]).stem
    return floors.index(place) if place in floors else None


@pytest.mark.parametrize("path", all_modules(), ids=str)
def test_imports_keep_to_the_rule(path: Path) -> None:
    ours = imported(path) & set(PACKAGES)
    assert ours <= ALLOWED[path.parts[0]] | EXCEPTIONS.get(path, set())


@pytest.mark.parametrize("package", ["digits", "addresses", "feedback", "traffic", "service", "ui"])
def test_imports_keep_training_libraries_out_of_serving(package: str) -> None:
    found = {str(path): imported(path) & HEAVY for path in modules(package)}
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize("path", [path for name in FLOORS for path in modules(name)], ids=str)
def test_imports_go_downwards_only(path: Path) -> None:
    """A subpackage imports lower ones; a command imports subpackages, but no other command."""
    mine = floor(path)
    others = {
        other
        for other in imports(path)
        if other.name != "__init__.py" and other != path and other.parts[0] == path.parts[0]
    }
    upwards = {
        str(other)
        for other in others
        if (theirs := floor(other)) is None or (mine is not None and theirs > mine)
    }
    assert not upwards


@pytest.mark.parametrize(
    "path", [p for p in (*modules("digits"), *modules("pipeline")) if p.name != "__init__.py"], ids=str
)
def test_parts_are_imported_from_where_they_are(path: Path) -> None:
    """`from digits import Reader` is for other packages. Inside, it would hide dependencies."""
    assert Path("digits/__init__.py") not in {
        file for name in imported_names(path) for file in defining(name) if name.count(".") == 1
    }


def defining(name: str) -> set[Path]:
    """Return the `__init__.py` that re-exports a name; nothing for a module or subpackage of that name."""
    package, _, rest = name.partition(".")
    exists = any((ROOT / package / end).exists() for end in (f"{rest}.py", rest))
    return set() if exists else {Path(package, "__init__.py")}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_form_no_circle(package: str) -> None:
    graph = {
        path: {other for other in imports(path) if other.name != "__init__.py"} for path in modules(package)
    }
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", [p for p in all_modules() if p.name == "__init__.py"], ids=str)
def test_init_files_hold_no_code(path: Path) -> None:
    """A docstring, imports, `__all__`, and settings that libraries read while they are imported.

    `if TYPE_CHECKING` contains imports that are made later, when a name is first used.
    """
    assert ast.get_docstring(tree(path))
    others = ("os.environ.setdefault(", "if TYPE_CHECKING:")
    assert all(
        isinstance(one, ast.Import | ast.ImportFrom | ast.Assign) or ast.unparse(one).startswith(others)
        for one in tree(path).body[1:]
    )


def test_imports_of_a_relative_or_nested_import_are_seen(tmp_path: Path) -> None:
    module = tmp_path / "service" / "sample.py"
    module.parent.mkdir()
    module.write_text("from . import errors\n\ndef later():\n    import pipeline.train\n", encoding="utf-8")
    assert imported_names(module) == {"service.errors", "pipeline.train"}
    assert imports(module) == {
        Path("service/__init__.py"),
        Path("service/errors.py"),
        Path("pipeline/__init__.py"),
        Path("pipeline/train.py"),
    }
