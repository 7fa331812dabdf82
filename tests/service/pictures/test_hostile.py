"""No picture costs much more than its pixels justify, whatever its bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import pytest
from PIL import Image

from service.errors import BadImage, Busy, TooCostly
from service.pictures.decode import decode, loaded, opened
from tests.service.clock import least_seconds
from tests.service.encoding import encoded
from tests.service.hostile_pictures import ONLY_LARGE, SMALL

SIZES = {"small": 255 * 1024, "large": 19 * 2**20}
CASES = [(name, size) for name in SMALL for size in SIZES] + [(name, "large") for name in ONLY_LARGE]
MOST_SECONDS = 1.0  # of processor time, beyond what the largest honest pictures take
MOST_BYTES = 200 * 2**20  # beyond the pixels


@cache
def tiff(side: int) -> bytes:
    """A JPEG within a TIFF, which the sandbox decodes."""
    return encoded(Image.new("L", (side, side), 255), "TIFF", compression="jpeg")


class Cost:
    """Processor time and memory of this process and its children while a block runs."""

    def __init__(self) -> None:
        self._memory = self._peak(reset=True)
        self._time = self._seconds()

    def seconds(self) -> float:
        return self._seconds() - self._time

    def memory(self) -> int:
        """Peak memory above that at the beginning, in bytes."""
        return self._peak(reset=False) - self._memory

    def _processes(self) -> Iterator[psutil.Process]:
        own = psutil.Process()
        yield own
        yield from own.children(recursive=True)

    def _seconds(self) -> float:
        ended = psutil.Process().cpu_times()
        running = sum(sum(process.cpu_times()[:2]) for process in self._processes())
        return float(running + ended.children_user + ended.children_system)

    def _peak(self, reset: bool) -> int:
        peak = 0
        for process in self._processes():
            folder = Path(f"/proc/{process.pid}")
            if reset:
                (folder / "clear_refs").write_text("5")  # resets the peak to the present memory
            status = (folder / "status").read_text()
            peak += int(status.partition("VmHWM:")[2].split()[0]) * 1024
        return peak


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports peak memory")
@pytest.mark.parametrize(("name", "size"), CASES)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_picture_costs_more_than_its_pixels(name: str, size: str) -> None:
    data = (SMALL | ONLY_LARGE)[name](SIZES[size])
    assert len(data) < 20 * 2**20
    for side in (9, 1500):  # both sandboxes, for pictures and for photos, have started before
        decode(tiff(side))
    cost = Cost()
    pixels = 0
    with suppress(TooCostly, BadImage, Busy):  # Busy: other work kept the sandbox from the processor
        picture = opened(data)
        pixels = picture.width * picture.height
        loaded(picture)
    assert cost.seconds() < MOST_SECONDS + pixels * 60e-9
    assert cost.memory() < MOST_BYTES + pixels * 20


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_what_the_event_loop_looks_through_is_short(name: str) -> None:
    """Files of up to 256 KiB are checked on the event loop, while all others wait.

    That takes at most a third of the time in which Python counts their bytes one by one (5 of 14 ms).
    """
    data = SMALL[name](SIZES["small"])

    def look_through() -> None:
        with suppress(TooCostly, BadImage):
            opened(data)

    assert least_seconds(look_through, 5) < 1.5 * least_seconds(lambda: sum(1 for _ in data))


@pytest.mark.parametrize(
    "name",
    [
        "progressive scans",
        "progressive scans, wide",
        "progressive scans, as large as can be",
        "EXIF segments",
        "JPEG comments",
        "GIF comments",
        "TIFF entries",
        "TIFF entries by the thousand",
        "PNG of empty IDATs",
        "PNG of text",
        "PNG of unknown chunks",
        "PNG of empty blocks",
        "WebP of chunks",
    ],
)
def test_known_tricks_are_refused_before_pillow_looks(name: str) -> None:
    with pytest.raises(TooCostly, match=r"far more work to decode than its size justifies\. Save it again"):
        opened(SMALL[name](SIZES["small"]))
