"""Run the registry's commands in forked processes that have MLflow imported, which is fast."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.damage.inject.fault import Fault, arm
from tests.damage.sandbox import Done, Sandbox

PATIENCE = 60.0  # seconds


def forks() -> ForkServerContext:
    """A context for processes in which MLflow is imported but has not been used."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.damage.preload"])
    return context


def command(box: Sandbox, module: str, *arguments: str, fault: Fault | None = None) -> Done:
    """Run `python -m module arguments` in the sandbox's project; returns how it ended."""
    process = begin(box, module, *arguments, fault=fault)
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"{module} does not end:\n{said(box)}")
    return ended(box, process)


def begin(box: Sandbox, module: str, *arguments: str, fault: Fault | None = None) -> BaseProcess:
    """Start the command without waiting for it."""
    box.log.unlink(missing_ok=True)
    box.said.unlink(missing_ok=True)
    process = forks().Process(target=_run, args=(box.project, box.said, module, arguments, fault))
    process.start()
    return process


def ended(box: Sandbox, process: BaseProcess) -> Done:
    """Return the result of a process that has ended, after freeing the disk."""
    box.ballast.unlink(missing_ok=True)
    struck = box.log.read_text(encoding="utf-8").strip() if box.log.exists() else ""
    assert process.exitcode is not None
    return Done(process.exitcode, said(box), struck)


def said(box: Sandbox) -> str:
    return box.said.read_text(encoding="utf-8") if box.said.exists() else ""


def _run(project: Path, told: Path, module: str, arguments: Sequence[str], fault: Fault | None) -> None:
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    stand_in(project)
    sys.argv = [module, *arguments]
    main = importlib.import_module(module).main
    counter = None if fault is None else arm(fault)
    try:
        sys.exit(main())
    finally:
        if counter is not None:
            counter.tell()


def stand_in(project: Path) -> None:
    """Work in this project, because the fork server has the environment of the test that started it."""
    os.chdir(project)
    os.environ |= {"DVC_ROOT": str(project), "MLFLOW_TRACKING_URI": ""}
