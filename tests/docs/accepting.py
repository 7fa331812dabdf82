"""Checks whether programs accept arguments: their own parsers parse them, and the programs stop there.

It runs in a separate process, because importing the parsers imports DVC, MLflow, BentoML and Ray. It reads a
list of commands (each a list of words) as JSON from standard input, and writes what is wrong with each, or
null.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache, partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

import click

ROOT = Path(__file__).resolve().parents[2]
INCOMPLETE = ("the following arguments are required", "expected one argument", "one of the arguments")
"""How argparse rejects a command that a sentence names without all of its arguments."""


GROUPS = {
    "bentoml": "bentoml_cli.cli:cli",
    "gto": "gto.cli:app",
    "hf": "huggingface_hub.cli.hf:app",
    "mlflow": "mlflow.cli:cli",
    "ray": "ray.scripts.scripts:cli",
}
"""The command groups of the programs that use click."""


class Understood(Exception):
    """Raised to stop a program once it has parsed its arguments."""


def problem(command: Sequence[str]) -> str | None:
    """What is wrong with a command, or None."""
    program, *arguments = command
    if program.endswith("python") or program == "python3":
        return problem_of_python(arguments)
    if program == "digits":
        return problem_of_module("digits", arguments)
    if program == "dvc":
        with patch.object(type(dvc()), "error", complain):  # its own would log what is wrong
            return problem_of_argparse(dvc().parse_args, arguments)
    return problem_of_click(resolve_name(GROUPS[program]), program, arguments)


def problem_of_python(arguments: list[str]) -> str | None:
    if arguments[:1] == ["-m"]:
        return problem_of_module(arguments[1], arguments[2:]) if len(arguments) > 1 else None
    script = ROOT / arguments[0]
    if not script.is_file():
        return None  # a program whose code is on the page
    sys.path.insert(0, str(script.parent))  # as Python does it for a script
    return problem_of_source(script, partial(runpy.run_path, str(script)), arguments[1:])


def problem_of_module(module: str, arguments: list[str]) -> str | None:
    if module in (*GROUPS, "dvc"):
        return problem([module, *arguments])
    if (found := find_spec(module)) is None:
        return f"there is no module {module}"
    origin = find_spec(f"{module}.__main__") if found.submodule_search_locations else found
    if origin is None or origin.origin is None:
        return f"{module} is not to be run"
    return problem_of_source(Path(origin.origin), partial(runpy.run_module, module), arguments)


def problem_of_source(source: Path, run: Callable[..., object], arguments: Sequence[str]) -> str | None:
    """Run a program until it has parsed its arguments; `Understood` stops it then.

    Nothing would stop a program without a parser, so it is not run, and no options are accepted.
    """
    if "ArgumentParser" not in source.read_text(encoding="utf-8"):
        return "it takes no options" if any(word.startswith("-") for word in arguments) else None
    parse = argparse.ArgumentParser.parse_args

    def understand(
        parser: argparse.ArgumentParser, given: Sequence[str] | None = None, _: Any = None
    ) -> None:
        parse(parser, given)
        raise Understood

    def parsed(given: Sequence[str]) -> None:
        with (
            patch.object(argparse.ArgumentParser, "parse_args", understand),
            patch.object(sys, "argv", [str(source), *given]),
        ):
            run(run_name="__main__")

    return problem_of_argparse(parsed, arguments)


def problem_of_argparse(parse: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> str | None:
    """Parse the arguments; if one or two are missing, as in INCOMPLETE, try again with dummies."""
    for given in (arguments, [*arguments, "1"], [*arguments, "1", "2"]):
        said = StringIO()
        try:
            with redirect_stderr(said), redirect_stdout(StringIO()):
                parse(given)
        except Understood:
            return None
        except (SystemExit, argparse.ArgumentError) as ended:
            if isinstance(ended, SystemExit) and not ended.code:
                return None
            told = said.getvalue()
        else:
            return None
        if not any(word in told for word in INCOMPLETE):
            return told
    return told


def problem_of_click(command: click.Command, program: str, arguments: list[str]) -> str | None:
    """Resolve one subcommand after another, and their options; a missing argument is not a problem."""
    name, rest = program, arguments
    parent: click.Context | None = None
    while True:
        try:
            parent = command.make_context(name, list(rest), parent=parent)
            if not isinstance(command, click.Group):
                return None
            rest = rest[min(i for i, word in enumerate(rest) if not word.startswith("-")) :]
            found_name, found, rest = command.resolve_command(parent, list(rest))
        except click.exceptions.Exit:
            return None  # --help and --version
        except click.MissingParameter:
            return None
        except click.UsageError as error:
            return error.format_message()
        if found is None:
            return f"{program} has no command {rest}"
        command, name = found, found_name or name


@cache
def dvc() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = resolve_name("dvc.cli.parser:get_main_parser")()
    return parser


def complain(_: argparse.ArgumentParser, message: str, *__: object) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(2)


def main() -> None:
    commands = json.load(sys.stdin)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a module prints as it is imported
    warnings.simplefilter("ignore")  # of BentoML's own options
    answers.write(json.dumps([problem(command) for command in commands]))


if __name__ == "__main__":
    main()
