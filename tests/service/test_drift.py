"""Drift end to end: pictures to two workers over HTTP, counts, gauges, the command's report and status."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pipeline.synthesis.canvas import canvases
from tests.traffic.windows import real_digits

ROOT = Path(__file__).resolve().parents[2]


def drift(url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder of its own, in which it writes its report."""
    environment = os.environ | {"SERVICE_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline.drift", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def drawings(count: int, seed: int) -> Iterator[Image.Image]:
    return (canvas for _, canvas in canvases(real_digits().images[:count], seed))


def as_png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_drift_over_http(serving: Callable[..., AbstractContextManager[Any]], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder = tmp_path / "home"
    with serving(
        None, folder, WORKERS="2", TRAFFIC_DIR=str(kept), MODEL_DIR=str(tmp_path / "none")
    ) as server:
        few = drift(server.url, tmp_path)
        assert (few.returncode, few.stdout) == (2, "")
        assert "0 of /predict" in few.stderr
        assert "WINDOW" in few.stderr
        for picture in drawings(150, 1):
            server.post("/predict", as_png(picture)).raise_for_status()
        wait_for(server, 150)
        quiet = drift(server.url, tmp_path)
        assert quiet.returncode == 0, quiet.stdout + quiet.stderr
        assert gauge(server, "digits_drift") == 0
        inverted = [as_png(Image.fromarray(255 - np.asarray(one))) for one in drawings(64, 2)]
        many = [("images", ("drawing.png", one, "image/png")) for one in inverted]
        httpx.post(f"{server.url}/predict_batch", files=many, timeout=30, trust_env=False).raise_for_status()
        wait_for(server, 214)
        found = drift(server.url, tmp_path, "--window", "1h")
        assert found.returncode == 1, found.stdout + found.stderr
        assert "paper lightness" in found.stdout
        assert gauge(server, "digits_drift") == 1
        assert gauge(server, "digits_drift_distance") == pytest.approx(64 / 214)
        report = (tmp_path / "reports" / "drift.html").read_text(encoding="utf-8")
        assert "Drift in paper of /predict" in report
        assert not re.search(r"(src|href)=\"(?!data:)|url\(", report), "nothing is loaded from elsewhere"
        before = drift(server.url, tmp_path, "--against", "before")
        assert (before.returncode, "the days before" in before.stderr) == (2, True)
    assert sum(len(path.read_text()) for path in kept.iterdir()) < 10_000


def wait_for(server: Any, pictures: int) -> None:
    """Wait, because each worker writes its counts every few seconds."""
    end = time.monotonic() + 30
    seen = 0
    while time.monotonic() < end:
        slots = server.get("/traffic").json()["slots"]
        seen = sum(sum(slot["counts"]["predict"]["outcome"]) for slot in slots)
        if seen == pictures:
            return
        time.sleep(0.2)
    raise AssertionError(f"{seen} of {pictures} pictures were counted")


def gauge(server: Any, name: str) -> float:
    text = server.get("/metrics").text
    labels = r'\{against="reference",feature="paper",kind="predict"\}'
    found = re.search(rf"^{name}{labels} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_model_without_a_reference(server: Any, tmp_path: Path) -> None:
    done = drift(server.url, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no reference" in done.stderr
    assert "make repro" in done.stderr


def test_no_service(tmp_path: Path) -> None:
    done = drift("http://127.0.0.1:9", tmp_path)
    assert done.returncode == 2
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_traffic_asks_for_the_key_as_the_model_does(
    make_client: Callable[..., TestClient], tiny_model: Path
) -> None:
    client = make_client(tiny_model, api_key="secret")
    assert client.get("/traffic").status_code == 401
    answer = client.get("/traffic", headers={"X-API-Key": "secret"}).json()
    assert answer["model"] == "1"
    assert answer["reference"] is None


@pytest.mark.parametrize(
    "arguments", [("--window", "8d"), ("--window", "0h"), ("--window", "day"), ("--level", "2")]
)
def test_wrong_arguments_are_named(arguments: tuple[str, str], tmp_path: Path) -> None:
    done = drift("http://127.0.0.1:9", tmp_path, *arguments)
    assert done.returncode == 2
    assert arguments[1] in done.stderr
