"""How a stage starts and ends: its section of params.yaml in, an exit code and a plain sentence out."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from pipeline.errors import ParameterError, PipelineError
from pipeline.project import PARAMS, read_params


def run_stage(section: str, stage: Callable[..., None]) -> int:
    """Call `stage(**params[section])` and give the exit code: 1 after an expected failure, told on stderr."""
    try:
        values = _parameters(section)
        check_names(section, stage, values)
        stage(**values)
    except PipelineError as error:
        print(f"{section}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{section}: stopped", file=sys.stderr)
        return 130
    return 0


def _parameters(section: str) -> dict[str, Any]:
    try:
        return read_params(section)
    except FileNotFoundError:
        raise ParameterError(f"There is no {PARAMS} here: run this in the project's folder.") from None
    except KeyError:
        raise ParameterError(f"{PARAMS} has no section {section!r}.") from None


def check_names(section: str, function: Callable[..., object], values: dict[str, Any]) -> None:
    """Raise `ParameterError` where `values` are not the keywords that `function` asks for.

    What a `partial` has filled in already is not asked for.
    """
    given = function.keywords.keys() & values if isinstance(function, partial) else ()
    try:
        if given:
            raise TypeError(f"got an unexpected keyword argument {min(given)!r}")
        inspect.signature(function).bind(**values)
    except TypeError as error:
        raise ParameterError(f"{PARAMS}, section {section!r}: {error}.") from error
