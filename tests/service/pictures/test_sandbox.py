"""Decoding in the sandbox: the same pixels, and nothing is lost when its process ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from digits.ink.pixels import stored
from service.errors import BadImage, Busy, TooCostly
from service.pictures import sandbox as module
from service.pictures.kinds.file import PictureFile
from service.pictures.sandbox import Sandbox
from tests.service.encoding import encoded
from tests.service.hostile_pictures import bmp_of_runs, tiff_of_strips

Draw = Callable[..., Image.Image]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


def child() -> psutil.Process:
    """The latest process of the sandbox."""
    found = [each for each in psutil.Process().children() if "sandboxed.py" in " ".join(each.cmdline())]
    return max(found, key=lambda process: process.create_time())


def as_file(image: Image.Image, kind: str, **options: object) -> PictureFile:
    return PictureFile(kind, encoded(image, kind, **options), *image.size)


MODES = {
    "TIFF": ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "I", "F", "I;16", "RGBX"],
    "PNG": ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "BMP": ["1", "L", "P", "RGB"],
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_the_pixels_are_those_that_pillow_gives(sandbox: Sandbox, draw: Draw, kind: str, mode: str) -> None:
    file = as_file(draw("7", (60, 50), 40).convert(mode), kind)
    here = stored(Image.open(BytesIO(file.data)))
    there = stored(sandbox.decode(file))
    assert np.array_equal(here[1], there[1])


def test_a_draft_is_a_smaller_jpeg(sandbox: Sandbox) -> None:
    decoded = sandbox.decode(as_file(Image.new("RGB", (800, 400), "red"), "JPEG"), (400, 200))
    assert isinstance(decoded, np.ndarray)
    assert decoded.shape == (200, 400, 3)


def test_damage_is_told(sandbox: Sandbox) -> None:
    file = as_file(Image.effect_noise((60, 50), 60), "TIFF", compression="jpeg")
    for data in (file.data[:300], b"II*\0" + bytes(50), b""):
        with pytest.raises(BadImage, match="damaged"):
            sandbox.decode(PictureFile("TIFF", data, 60, 50))
    with pytest.raises(BadImage):
        sandbox.decode(PictureFile("TIFF", file.data, 50, 60))
    assert stored(sandbox.decode(file))[1].shape == (50, 60)


def test_too_much_time_ends_the_process_and_the_next_picture_gets_another(
    sandbox: Sandbox, draw: Draw
) -> None:
    data = bmp_of_runs(19 * 2**20)
    side = int.from_bytes(data[18:22], "little")
    good = as_file(draw("7", (60, 50), 40), "BMP")
    sandbox.decode(good)
    before = child()
    with pytest.raises(TooCostly):
        sandbox.decode(PictureFile("BMP", data, side, side))
    assert not before.is_running()
    assert stored(sandbox.decode(good))[1].shape == (50, 60)
    assert child().pid != before.pid


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_too_much_memory_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(TooCostly):
        sandbox.decode(PictureFile("TIFF", tiff_of_strips(19 * 2**20), 1, 9999))


def test_a_process_that_ended_while_idle_is_replaced(sandbox: Sandbox, draw: Draw) -> None:
    file = as_file(draw("7", (60, 50), 40), "TIFF")
    sandbox.decode(file)
    child().kill()
    time.sleep(0.2)
    assert stored(sandbox.decode(file))[1].shape == (50, 60)


def test_a_process_that_gets_no_processor_is_given_up(
    sandbox: Sandbox, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.5)
    file = as_file(draw("7", (60, 50), 40), "TIFF")
    sandbox.decode(file)
    os.kill(child().pid, signal.SIGSTOP)
    with pytest.raises(Busy):
        sandbox.decode(file)
    assert stored(sandbox.decode(file))[1].shape == (50, 60)


def test_an_idle_process_is_small_and_ends_with_the_sandbox(sandbox: Sandbox, draw: Draw) -> None:
    sandbox.decode(as_file(draw("7", (60, 50), 40), "TIFF"))
    process = child()
    assert process.memory_info().rss < 40 * 2**20
    sandbox.close()
    assert not process.is_running()


def test_a_process_that_is_asked_to_end_goes_on_until_the_sandbox_ends(sandbox: Sandbox, draw: Draw) -> None:
    file = as_file(draw("7", (60, 50), 40), "TIFF")
    sandbox.decode(file)
    before = child()
    before.terminate()
    assert stored(sandbox.decode(file))[1].shape == (50, 60)
    assert child() == before


def test_a_program_that_does_not_run_is_no_damage_to_the_picture(
    sandbox: Sandbox, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sandboxed.py"
    broken.write_text("raise SystemExit(3)")
    monkeypatch.setattr(module, "_PROGRAM", broken)
    with pytest.raises(RuntimeError, match="exit status 3"):
        sandbox.decode(as_file(draw("7", (60, 50), 40), "TIFF"))
