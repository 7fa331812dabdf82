"""The pages that `dvc plots` writes: they draw their charts and load nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from pipeline import plots_page
from tests.sources import ROOT

CURVES = "epoch,loss,val_loss,accuracy,val_accuracy\n1,0.5,0.4,0.8,0.9\n2,0.3,0.2,0.9,0.95\n"


def test_charts_are_drawn_without_any_request(
    context: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--quiet", "--no-scm"], check=True)
    shutil.copy2(ROOT / "dvc.yaml", tmp_path)
    shutil.copytree(ROOT / "reports", tmp_path / "reports")
    candidate = tmp_path / "models" / "candidate"
    candidate.mkdir(parents=True)
    (candidate / "training.csv").write_text(CURVES)
    monkeypatch.setattr(sys, "argv", ["plots_page"])
    assert plots_page.main() == 0
    subprocess.run([*dvc, "plots", "show", "--quiet", "--out", "plots"], check=True)
    page = context.new_page()
    asked: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto((tmp_path / "plots" / "index.html").as_uri())
    page.wait_for_function("document.querySelectorAll('canvas, svg.marks').length == 3")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not failures
