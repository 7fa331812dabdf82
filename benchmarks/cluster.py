"""Files per second that one process, one node and two nodes of a Ray cluster read: `make bench-cluster`.

Each node has one core, and the single process is limited to one. "Linear" means the rate of one process
times the number of cores. A rate is computed from the difference between a long and a short run of the
command, which excludes the start. All variants take turns, and the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.conditions import conditions, write
from digits.reader import champion_or_default
from pipeline.synthesis.papers import Kind, make
from pipeline.synthesis.writers import PenWriter
from tests.cluster.nodes import TwoNodes

ROOT = Path(__file__).resolve().parent.parent
_KINDS: tuple[Kind, ...] = ("page", "table", "sudoku")
DIFFERENT = 30  # pictures; the others are links to these
_SHORT = 0.1  # of the files, in the short run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1200, help="papers in the long run (1200)")
    parser.add_argument("--part-files", type=int, default=16, help="papers per part (16)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", type=Path, default=champion_or_default(), help="model folder")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "cluster.json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    try:
        short, long = _scans(folder, max(1, round(_SHORT * options.files))), _scans(folder, options.files)
        model = ["--model", str(options.model.resolve())]
        rounds = []
        for number in range(options.rounds):
            rounds.append(_round(short, long, [*model, "--part-files", str(options.part_files)]))
            print(f"round {number + 1} of {options.rounds}: {_said(rounds[-1])}", file=sys.stderr)
    finally:
        shutil.rmtree(folder)
    rates = {name: median(one[name] for one in rounds) for name in rounds[0]}
    shares = {
        "one node": median(one["one node"] / one["one process"] for one in rounds),
        "two nodes": median(one["two nodes"] / one["one process"] / 2 for one in rounds),
    }
    print(f"files per second: {_said(rates)}")
    print(f"share of linear: {_said(shares)}")
    command = f"make bench-cluster ARGS='--files {options.files} --rounds {options.rounds}'"
    result = {"files": options.files, "rates": rates, "shares of the linear": shares, "rounds": rounds}
    write(options.out, conditions(command) | result)


def _round(short: Path, long: Path, more: Sequence[str]) -> dict[str, float]:
    """Files per second of each variant, measured once."""
    rates = {"one process": _rate(short, long, lambda scans: _spent([str(scans), *more], {}, cores={0}))}
    with TwoNodes({}, second=False) as cluster:
        rates["one node"] = _rate(short, long, lambda scans: _on(cluster, scans, more))
        cluster.add()
        rates["two nodes"] = _rate(short, long, lambda scans: _on(cluster, scans, more))
    return rates


def _rate(short: Path, long: Path, spent: Callable[[Path], float]) -> float:
    seconds = [spent(scans) for scans in (short, long)]
    count = [sum(1 for _ in scans.iterdir()) for scans in (short, long)]
    return (count[1] - count[0]) / (seconds[1] - seconds[0])


def _on(cluster: TwoNodes, scans: Path, more: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="bench") as out:
        arguments = [str(scans), "--cluster", cluster.address, "--output", f"{out}/answers", *more]
        return _spent(arguments, cluster.variables)


def _spent(arguments: Sequence[str], variables: dict[str, str], cores: set[int] | None = None) -> float:
    """How long the command takes, in seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "digits", "--format", "csv", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if cores:
        os.sched_setaffinity(process.pid, cores)
    if process.wait() != 0:
        raise SystemExit(f"`python -m digits {' '.join(arguments)}` ended with {process.returncode}.")
    return time.perf_counter() - began


def _scans(folder: Path, count: int) -> Path:
    """A folder with papers, which are links to a few different ones."""
    drawn = folder / "drawn"
    if not drawn.exists():
        drawn.mkdir()
        for number in range(DIFFERENT):
            drawn_paper(number)[1].save(drawn / f"{number}.png")
    scans = folder / f"scans-{count}"
    scans.mkdir()
    for number in range(count):
        os.link(drawn / f"{number % DIFFERENT}.png", scans / f"{number}.png")
    return scans


def drawn_paper(number: int) -> tuple[str, Image.Image]:
    """The text of one of the papers, and its picture."""
    rng = np.random.default_rng([22, number])
    return make(_KINDS[number % len(_KINDS)], PenWriter(rng), rng)


def _said(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items())


if __name__ == "__main__":
    main()
