"""Who may import whom: the rule that keeps the rooms apart (README, "The house")."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("digits", "pipeline", "service", "ui")
ALLOWED = {
    "digits": {"digits"},
    "pipeline": {"pipeline", "digits"},
    "service": {"service", "digits"},
    "ui": {"ui"},
}
EXCEPTIONS = {Path("ui/desktop.py"): {"digits"}}  # its --local reads without a service
HEAVY = {"tensorflow", "keras", "mlflow", "dvc"}


def imported(path: Path) -> set[str]:
    """The first name of everything that a module imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(path.parent.name if node.level else (node.module or "").split(".")[0])
    return names


def modules(room: str) -> list[Path]:
    """The Python files of a room, relative to the project."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", [path for room in ROOMS for path in modules(room)], ids=str)
def test_imports_keep_to_the_rule(path: Path) -> None:
    room = path.parts[0]
    ours = imported(ROOT / path) & set(ROOMS)
    assert ours <= ALLOWED[room] | EXCEPTIONS.get(path, set())


@pytest.mark.parametrize("room", ["digits", "service", "ui"])
def test_imports_keep_training_libraries_out_of_serving(room: str) -> None:
    found = {str(path): imported(ROOT / path) & HEAVY for path in modules(room)}
    assert not {path: names for path, names in found.items() if names}


def test_imports_of_a_relative_or_nested_import_are_seen(tmp_path: Path) -> None:
    module = tmp_path / "service" / "sample.py"
    module.parent.mkdir()
    module.write_text("from . import decode\n\ndef later():\n    import pipeline.train\n", encoding="utf-8")
    assert imported(module) == {"service", "pipeline"}
