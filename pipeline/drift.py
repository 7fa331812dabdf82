"""Check whether the service's traffic has drifted from its model's reference data: `make drift`.

The command gets the counts of the service at SERVICE_URL (default: this machine's SERVICE_PORT), compares the
last hours with the reference of the model in service, and writes reports/drift.html. The exit status is 0
without drift, 1 with drift, and 2 if there is no result (too few pictures, no reference, or no service).

The reference is made of validation digits drawn in many ways. If people draw differently and the model still
reads them well, use `--against before` to compare with the previous days instead.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

from pipeline.monitoring.page import Found, chance, page
from pipeline.monitoring.service import ServiceTraffic, ask
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
        "--window",
        type=_hours,
        default="24h",
        help="length of the window, such as 6h or 3d, at most 7d (default: 24h)",
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
    for line in described(found):
        print(line)
    return DRIFT if found.drifted else NO_DRIFT


def compare(
    service: ServiceTraffic, url: str, hours: int, level: float, against: Against = "reference"
) -> Found:
    """Compare the window with the reference or the days before; raises `TrafficError` if data is missing."""
    windows = service.windows(hours)
    other = service.counts() if against == "reference" else windows.before
    if other is None:
        raise TrafficError(
            f"Model {service.model} has no reference, because it was exported by hand or evaluated by an"
            " older version. `make repro` makes a reference for each model that it evaluates. Until then,"
            " `make drift AGAINST=before` compares with the days before."
        )
    compared = comparisons(windows.last, other)
    if not compared:
        raise TrafficError(_too_few(windows, other, hours, against))
    pictures = {kind: windows.last.pictures(kind) for kind in KINDS}
    return Found(url, service.model, hours, level, against, pictures, judged(compared, level))


def _too_few(windows: Windows, other: Counts, hours: int, against: Against) -> str:
    """Return the message for too few pictures."""
    seen, earlier = (
        " and ".join(f"{counts.pictures(kind)} of /{kind}" for kind in KINDS)
        for counts in (windows.last, other)
    )
    than = f" and the days before have {earlier}" if against == "before" else ""
    others = f" Other models read {windows.of_others} pictures in that time." if windows.of_others else ""
    return (
        f"The last {hours} h have {seen} pictures{than}, but a comparison needs {LEAST_PICTURES} of one kind."
        f"{others} Wait, or choose a longer window, up to WINDOW=7d."
    )


def described(found: Found) -> list[str]:
    """Return the result and its reasons, one per line."""
    lines = [found.verdict]
    for one, p in found.judged:
        if one.drifted:
            title = FEATURES[one.kind][one.name].title
            lines.append(f"  /{one.kind}, {title}: distance {one.distance:.0%}, p {chance(p)}")
    return [*lines, f"{REPORT} shows the histograms."]


def _hours(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d*)([hd])", text)
    hours = int(match[1]) * (24 if match[2] == "d" else 1) if match else 0
    if not 1 <= hours <= KEPT_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a window from 1h to {KEPT_HOURS // 24}d")
    return hours


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0
    if not 0 < level < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability between 0 and 1")
    return level


if __name__ == "__main__":
    sys.exit(main())
