"""The page's process while nobody draws, started where the environment names proxies."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import psutil

from tests.browser.processes import page_process
from tests.ports import free_port

SECONDS = 10
MOST = 0.03  # of a core; it takes 0.002, and with Gradio's queue 0.06 to 0.08
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "socks5://127.0.0.1:9")


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_idle_page_takes_hardly_any_time(tmp_path: Path) -> None:
    port = free_port()
    with page_process(port, "http://127.0.0.1:1", tmp_path, **PROXIES) as page:
        address = f"http://127.0.0.1:{port}/gradio_api/startup-events"
        assert httpx.get(address, trust_env=False).is_success  # Gradio's own route would start its queue
        process = psutil.Process(page.pid)
        time.sleep(1)  # until the start is over
        before = cpu_seconds(process)
        time.sleep(SECONDS)
        assert (cpu_seconds(process) - before) / SECONDS < MOST
