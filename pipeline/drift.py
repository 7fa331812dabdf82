"""Say whether what the service is sent still looks like what its model was measured on: `make drift`.

It asks the service at SERVICE_URL (or at this machine's SERVICE_PORT) for its counts, compares those of the
window with the reference of the model in service, and writes reports/drift.html. The exit status is 0 without
drift, 1 with drift, and 2 where nothing can be said: too few pictures, no reference, no service.

The reference are validation digits drawn in many ways. Where people draw otherwise, and the model reads them
well, `--against before` asks instead whether the window differs from the days before it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

from pipeline.monitoring.asking import Told, ask
from pipeline.monitoring.page import Found, chance, page
from pipeline.monitoring.significance import judged
from pipeline.project.errors import PipelineError, TrafficError
from pipeline.project.files import write_text
from pipeline.project.paths import REPORTS
from traffic.counts import Counts
from traffic.drift import AGAINST, LEAST_PICTURES, LEVEL, Against, comparisons
from traffic.features import FEATURES, KINDS
from traffic.slots import KEPT_HOURS
from traffic.windows import Windows

REPORT = REPORTS / "drift.html"
NO_DRIFT, DRIFT, NOTHING_TO_SAY = 0, 1, 2


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.drift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--window", type=_hours, default="24h", help="how far back: 6h, 3d; 7d at most (default: 24h)"
    )
    parser.add_argument(
        "--level", type=_level, default=LEVEL, help=f"probability of a false alarm (default: {LEVEL})"
    )
    parser.add_argument(
        "--against", choices=AGAINST, default="reference", help="what the window is compared with"
    )
    options = parser.parse_args()
    port = os.environ.get("SERVICE_PORT") or "3000"
    url = os.environ.get("SERVICE_URL") or f"http://127.0.0.1:{port}"
    try:
        service = ask(url, os.environ.get("API_KEY", ""))
        found = compare(service, url, options.window, options.level, options.against)
        write_text(REPORT, page(found))
    except (PipelineError, OSError) as error:
        print(error, file=sys.stderr)
        return NOTHING_TO_SAY
    for line in told(found):
        print(line)
    return DRIFT if found.drifted else NO_DRIFT


def compare(service: Told, url: str, hours: int, level: float, against: Against = "reference") -> Found:
    """The window beside the reference or the days before; raises `TrafficError` where there is too little."""
    windows = service.windows(hours)
    other = service.counts() if against == "reference" else windows.before
    if other is None:
        raise TrafficError(
            f"Model {service.model} has no reference: it was evaluated before there were any, or is one of"
            " your own. `make repro` makes one for each model that it evaluates. Until then `make drift"
            " AGAINST=before` compares with the days before."
        )
    compared = comparisons(windows.last, other)
    if not compared:
        raise TrafficError(_too_few(windows, other, hours, against))
    pictures = {kind: windows.last.pictures(kind) for kind in KINDS}
    return Found(url, service.model, hours, level, against, pictures, judged(compared, level))


def _too_few(windows: Windows, other: Counts, hours: int, against: Against) -> str:
    """What there is, and what to do."""
    seen, earlier = (
        " and ".join(f"{counts.pictures(kind)} of /{kind}" for kind in KINDS)
        for counts in (windows.last, other)
    )
    than = f", and the days before {earlier}" if against == "before" else ""
    others = f" Another model was asked {windows.of_others} times meanwhile." if windows.of_others else ""
    return (
        f"The last {hours} h have {seen}{than}: {LEAST_PICTURES} pictures of one kind are needed to say"
        f" anything.{others} Wait, or choose another window, up to WINDOW=7d."
    )


def told(found: Found) -> list[str]:
    """The verdict and its reasons, a line each."""
    lines = [found.verdict]
    for one, p in found.judged:
        if one.drifted:
            title = FEATURES[one.kind][one.name].title
            lines.append(f"  /{one.kind}, {title}: {one.distance:.0%} lie elsewhere (p {chance(p)})")
    return [*lines, f"{REPORT} shows the histograms."]


def _hours(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d*)([hd])", text)
    hours = int(match[1]) * (24 if match[2] == "d" else 1) if match else 0
    if not 1 <= hours <= KEPT_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no window from 1h to {KEPT_HOURS // 24}d")
    return hours


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0
    if not 0 < level < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no probability between 0 and 1")
    return level


if __name__ == "__main__":
    sys.exit(main())
