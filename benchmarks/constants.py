"""Mutation test of the reader's tuned constants: `python -m benchmarks.constants [--only WORD]`.

Each numeric constant of `digits` is multiplied by 0.5 and by 1.5, one at a time, and the rows of
`make bench-quality` are read. A row detects a change if it has at least two correct pictures fewer, or four
wrong characters more, than without the change. A constant that no row detects needs a row, or should be
removed. All of them take hours on two cores: `--only` selects modules, `--minutes` limits the time, in which
constants are tried in random order.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import pkgutil
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cv2

import digits
from digits.reader import Reader
from pipeline.evaluation.papers import Outcome, ask_all
from tests.quality.rows import ROWS

_FACTORS = (0.5, 1.5)
_PICTURES, _CHARACTERS = 2, 4  # fewer correct pictures, or more wrong characters, that count as detected


@dataclass(frozen=True, slots=True)
class Mutant:
    """A constant of a module, or its element `at`, with another value."""

    module: str
    name: str
    at: int | None
    factor: float

    def __str__(self) -> str:
        element = "" if self.at is None else f"[{self.at}]"
        return f"{self.module}.{self.name}{element} times {self.factor}"


@dataclass(frozen=True, slots=True)
class Result:
    """The first row that detects a mutant, or None, and the number of pictures read differently so far."""

    mutant: Mutant
    row: str | None
    changed: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only the constants of modules with this in their names")
    parser.add_argument("--share", type=float, default=0.5, help="of each row's pictures, at least two")
    parser.add_argument("--minutes", type=float, default=600, help="no mutant is started later")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    mutants = [mutant for mutant in _mutants() if options.only in mutant.module]
    random.Random(1).shuffle(mutants)
    end = time.monotonic() + 60 * options.minutes
    results: list[Result] = []
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.processes, _prepare, (options.share, end)) as pool:
        for result in pool.imap_unordered(_tried, mutants):
            if result is None:
                continue
            results.append(result)
            said = (
                f"noticed by {result.row}"
                if result.row
                else f"not noticed, {result.changed} pictures read differently"
            )
            print(f"{result.mutant}: {said}", flush=True)
    noticed = sum(result.row is not None for result in results)
    idle = sum(result.row is None and result.changed == 0 for result in results)
    print(f"{len(results)} of {len(mutants)} tried: {noticed} noticed, {idle} change no answer")
    return 0


def _mutants() -> Iterator[Mutant]:
    """All constants of the reader's modules, multiplied by both factors, if that changes them."""
    shared: set[str] = set()
    for found in pkgutil.walk_packages(digits.__path__, "digits."):
        if found.ispkg or found.name == "digits.__main__":
            continue
        for name, value in sorted(vars(importlib.import_module(found.name)).items()):
            if name != name.upper() or name in shared:
                continue
            if not name.startswith("_"):
                shared.add(name)  # the modules that import it have it, too
            elements = enumerate(value) if isinstance(value, tuple) else [(None, value)]
            for at, element in elements:
                if isinstance(element, (int, float)) and not isinstance(element, bool):
                    for factor in _FACTORS:
                        if _times(element, factor) != element:
                            yield Mutant(found.name, name, at, factor)


def _times(value: float, factor: float) -> float:
    return round(value * factor) if isinstance(value, int) else value * factor


class _State:
    """The state of each process: the reader, and the rows with their pictures and readings, fastest first."""

    reader: Reader
    rows: list[tuple[str, Any, list[Any], list[Outcome]]]
    end: float


def _prepare(share: float, end: float) -> None:
    cv2.setNumThreads(1)
    _State.reader, _State.end, _State.rows = Reader.load(), end, []
    for row in ROWS:
        pictures, ask = list(row.pictures(max(2, round(row.count * share)))), row.ask(_State.reader)
        _State.rows.append((row.name, ask, pictures, ask_all(ask, pictures)))
    _State.rows.sort(key=lambda row: sum(outcome.milliseconds for outcome in row[3]))


def _tried(mutant: Mutant) -> Result | None:
    if time.monotonic() > _State.end:
        return None
    module = importlib.import_module(mutant.module)
    before = getattr(module, mutant.name)
    after: object
    if mutant.at is None:
        after = _times(before, mutant.factor)
    else:
        after = tuple(
            _times(value, mutant.factor) if at == mutant.at else value for at, value in enumerate(before)
        )
    owners = [module] if mutant.name.startswith("_") else _sharing(mutant.name)
    for owner in owners:
        setattr(owner, mutant.name, after)
    try:
        return _compared(mutant)
    finally:
        for owner in owners:
            setattr(owner, mutant.name, before)


def _sharing(name: str) -> list[ModuleType]:
    """The reader's modules with this constant: the one that defines it, and those that import it."""
    return [
        module for path, module in sys.modules.items() if path.startswith("digits.") and name in vars(module)
    ]


def _compared(mutant: Mutant) -> Result:
    changed = 0
    for name, ask, pictures, usual in _State.rows:
        try:
            now = ask_all(ask, pictures)
        except Exception as error:  # a constant that breaks the code counts as detected
            return Result(mutant, f"{name} ({type(error).__name__})", changed)
        changed += sum(one.said != other.said for one, other in zip(now, usual, strict=True))
        fewer = sum(one.right for one in usual) - sum(one.right for one in now)
        more = sum(one.wrong for one in now) - sum(one.wrong for one in usual)
        if fewer >= _PICTURES or more >= _CHARACTERS:
            return Result(mutant, name, changed)
    return Result(mutant, None, changed)


if __name__ == "__main__":
    sys.exit(main())
