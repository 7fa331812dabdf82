"""Gradio's client and an MCP client use the page as in docs/clients.md, and get the service's readings."""

from __future__ import annotations

import json
import sys
import time
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.browser.processes import page_process
from tests.clients.conftest import DIGIT, ROOT
from tests.clients.environments import python_programs
from tests.clients.guide import follow, run
from tests.ports import free_port
from ui.text import PROGRAMS

HERE = Path(__file__).parent
OWN = Path(sys.executable).parent
IDLE_SECONDS = 10
MOST = 0.03  # of a core, as in tests/ui/test_idle.py


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a page without MCP."""
    port = free_port()
    with page_process(port, f"http://{address}", tmp_path_factory.mktemp("page")):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def mcp_programs() -> Path:
    return python_programs("mcp", ROOT / "requirements" / "mcp.txt")


@pytest.fixture(scope="module")
def mcp_page(address: str, mcp_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a page with MCP, also under a path prefix."""
    port = free_port()
    python = str(mcp_programs / "python")
    folder = tmp_path_factory.mktemp("mcp-page")
    with page_process(port, f"http://{address}", folder, python, PAGE_ROOT_PATH="/digits"):
        yield f"127.0.0.1:{port}"


def test_gradios_client_reads_a_file(folder: Path, page: str) -> None:
    loaded, read, answer = follow("Gradio", folder, page, OWN).stdout.splitlines()
    assert loaded.startswith("Loaded as API")
    assert read.startswith(f"{DIGIT} [")
    assert json.loads(answer)["data"][0]["text"] == str(DIGIT), "what curl gets"


@pytest.mark.parametrize("prefix", ["", "/digits"])
def test_gradios_client_reads_many_at_once_and_gets_refusals(
    prefix: str, folder: Path, mcp_page: str
) -> None:
    broken = folder / "broken.jpg"
    broken.write_bytes(b"no picture")
    client = Client(f"http://{mcp_page}{prefix}/", verbose=False)
    jobs = [client.submit(picture=handle_file(folder / "photo.jpg"), api_name="/read") for _ in range(8)]
    assert [job.result(60)["text"] for job in jobs] == [str(DIGIT)] * 8, "the same file, sent again and again"
    with pytest.raises(AppError, match="PNG"):
        client.predict(picture=handle_file(broken), api_name="/read")
    for elsewhere in ("http://127.0.0.1:1/photo.jpg", "https://example.org/photo.jpg"):
        with pytest.raises(AppError) as error:
            client.predict(picture=handle_file(elsewhere), api_name="/read")
        assert str(error.value) == PROGRAMS["no_picture"]
    client.close()


@pytest.mark.parametrize("prefix", ["", "/digits"])
def test_mcp_client_finds_and_calls_the_tool(
    prefix: str, folder: Path, mcp_page: str, mcp_programs: Path
) -> None:
    run(folder, mcp_programs, "python", str(HERE / "mcp_program.py"), f"{mcp_page}{prefix}", str(DIGIT))


def test_guides_mcp_program_reads(folder: Path, mcp_page: str, mcp_programs: Path) -> None:
    names, answer = follow("MCP", folder, mcp_page, mcp_programs).stdout.splitlines()
    assert names == "['read']"
    assert literal_eval(answer)["text"] == str(DIGIT)


def test_page_without_mcp_says_that_there_is_none(page: str) -> None:
    answer = httpx.post(f"http://{page}/gradio_api/mcp", json={}, trust_env=False)
    assert answer.status_code in (404, 405)


@pytest.mark.heavy
def test_page_is_idle_again_when_programs_have_gone(folder: Path, address: str, tmp_path: Path) -> None:
    port = free_port()
    with page_process(port, f"http://{address}", tmp_path) as process:
        client = Client(f"http://127.0.0.1:{port}", verbose=False)
        for _ in range(2):
            answer = client.predict(picture=handle_file(folder / "photo.jpg"), api_name="/read")
            assert answer["text"] == str(DIGIT)
            time.sleep(32)  # ui.lazy_queue.IDLE_SECONDS and a margin
            times = psutil.Process(process.pid).cpu_times()
            time.sleep(IDLE_SECONDS)
            later = psutil.Process(process.pid).cpu_times()
            assert (later.user + later.system - times.user - times.system) / IDLE_SECONDS < MOST
        client.close()
