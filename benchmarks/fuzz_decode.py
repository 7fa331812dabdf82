"""Coverage-guided fuzzing of `service.pictures.decode`, which must read or refuse any bytes.

make fuzz SECONDS=600        (needs atheris, in requirements/bench.txt)

It stops at any outcome other than a picture or a `Refusal`, and at files that cost far more than their
pixels justify. The bytes are then in crash-*, timeout-* or oom-* next to the corpus. The corpus starts with
valid pictures of every format and with small hostile pictures from the tests.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import warnings
from io import BytesIO
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["PIL", "service.pictures"]):
    from PIL import Image

    from service.pictures.decode import MAX_PIXELS, loaded, opened

from digits.ink.layer import layer_of
from service.errors import Refusal
from tests.service.hostile_pictures import SMALL

MOST_SECONDS = 1.0  # of processor time, including the overhead of coverage of Pillow
MOST_SECONDS_A_PIXEL = 200e-9
KINDS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def main() -> None:
    """Fuzz. Arguments: seconds (600), and the folder of the corpus (a new one)."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    corpus = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (corpus / name).write_bytes(content)
    warnings.simplefilter("ignore")  # Pillow warns about odd files
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=20000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={corpus}/", str(corpus)], check)
    atheris.Fuzz()


def check(data: bytes) -> None:
    """Decode `data`; raises unless it is read or refused with a `Refusal`, within the time limit."""
    begin = _seconds()
    pixels = 0
    try:
        picture = opened(data)
        pixels = picture.width * picture.height
        decoded, _ = loaded(picture)
    except Refusal:
        pass
    else:
        layer = layer_of(decoded)
        assert 0 < layer.width * layer.height <= MAX_PIXELS
    seconds = _seconds() - begin
    assert seconds < MOST_SECONDS + MOST_SECONDS_A_PIXEL * pixels, f"{seconds:.1f} s for {pixels} pixels"


def _seconds() -> float:
    """Processor time of this process and of sandboxes that were killed at their limit, in seconds."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def seeds() -> dict[str, bytes]:
    """The initial corpus: small valid pictures of every format and mode, and small hostile ones."""
    found = {name.replace(" ", "-"): make(2000) for name, make in SMALL.items()}
    for kind in KINDS:
        for mode in ("L", "RGB", "RGBA", "P", "1", "I;16", "CMYK"):
            content = BytesIO()
            try:
                Image.effect_noise((16, 12), 60).convert("RGB").convert(mode).save(content, kind)
            except (OSError, ValueError):
                continue  # the format does not support the mode
            found[f"{kind}-{mode.replace(';', '')}"] = content.getvalue()
    return found


if __name__ == "__main__":
    main()
