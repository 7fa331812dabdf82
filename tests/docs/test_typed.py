"""Commands of the pages, typed as they stand: ways.HERE says which, and in which order."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import numpy as np
import pytest
from PIL import Image

from feedback.store import Limits, Store
from tests.docs.conftest import Checkout
from tests.docs.ways import HERE
from tests.sources import ROOT

EXAMPLES = ROOT / "ui" / "canvas" / "examples"
START_SECONDS = 90  # a service on a busy machine


@pytest.fixture
def said(checkout: Checkout, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the test's commands print; each has to succeed."""
    return {command: checkout.said(command) for command in HERE[request.node.originalname]}


@pytest.fixture
def pictures(checkout: Checkout) -> None:
    """The files that the examples name: a photo, a drawing, a photo of a table, and a folder of pictures."""
    shutil.copy2(EXAMPLES / "photo.jpg", checkout.folder / "photo.jpg")
    shutil.copy2(EXAMPLES / "table.jpg", checkout.folder / "sheet.jpg")
    on_white(7).save(checkout.folder / "drawing.png")
    folder = checkout.folder / "FOLDER"
    folder.mkdir(exist_ok=True)
    for digit in (3, 4):
        on_white(digit).save(folder / f"{digit}.png")


def on_white(digit: int) -> Image.Image:
    with Image.open(EXAMPLES / f"{digit}.png") as drawn:
        rgba = drawn.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")


@pytest.mark.heavy
def test_results_are_compared(said: dict[str, str], checkout: Checkout) -> None:
    """The README's *Train and compare* where nothing has to be trained."""
    assert "make run" in said["make"]
    assert "Installing" not in "".join(said.values())
    assert "Running stage" not in said["make repro"]
    assert re.search(r"file://.*index\.html", said["dvc plots diff"])
    assert (checkout.folder / "dvc_plots" / "index.html").is_file()
    assert "(main)" in said["dvc exp show --only-changed --drop '/|^digits$|^traffic$'"].replace(
        " main ", "(main)"
    )
    assert "1*" in said["make compare"], "version 1 is the champion"
    params = (checkout.folder / "params.yaml").read_text(encoding="utf-8")
    assert f"  epochs: {epochs('quick')}" in params
    assert (checkout.folder / "build" / "space" / "app.py").is_file()
    assert re.fullmatch(r"[0-9a-f]{48}\n", said["openssl rand -hex 24"])
    (checkout.folder / ".env").unlink()
    checkout.said("git checkout params.yaml")


def epochs(profile: str) -> int:
    found = re.search(r"^epochs: (\d+)", (ROOT / "profiles" / f"{profile}.yaml").read_text(), re.MULTILINE)
    assert found is not None
    return int(found.group(1))


@pytest.fixture
def versions(checkout: Checkout) -> None:
    """A second version of the registered model, the same as the first, so that there is one to promote."""
    code = (
        "from pipeline.registry import runs; client = runs.connect();"
        "first = client.get_model_version('digits', '1');"
        "print(client.create_model_version('digits', first.source, first.run_id, tags=first.tags).version)"
    )
    version = checkout.said(f'python -W ignore -c "{code}"').split()[-1]
    checkout.other.update({f"VERSION={name}": f"VERSION={version}" for name in ("7", "3", "n")})


@pytest.mark.heavy
@pytest.mark.usefixtures("versions")
def test_version_is_promoted_and_rolled_back(said: dict[str, str], checkout: Checkout) -> None:
    champion, promoted, rolled_back = said.values()
    assert re.search(r"^champion: version 1 ", champion, re.MULTILINE)
    assert re.search(r"^champion: version \d+ ", promoted, re.MULTILINE)
    assert "champion: version 1 " in rolled_back
    assert "reads forms better" in checkout.said("make champion"), "the reason came through whole"


@pytest.mark.heavy
@pytest.mark.usefixtures("versions")
def test_registry_is_looked_after(said: dict[str, str]) -> None:
    assert "is intact, so nothing is rebuilt" in said["make rebuild-registry"]
    assert "champion" in said["make rebuild-registry FORCE=1"]


@pytest.mark.heavy
def test_an_experiment_is_run_and_compared(said: dict[str, str], checkout: Checkout) -> None:
    trained, compared = said["dvc exp run -S train.epochs=3"], said["dvc metrics diff main"]
    assert "Running stage 'train'" in trained
    assert re.search(r"train_seconds +[\d.]+ +[\d.]+", compared)
    assert "Running stage" not in said["dvc repro"]
    checkout.said("make profile NAME=classic")  # restores the file that `dvc exp run` has rewritten
    checkout.said("git checkout --force --quiet main && dvc checkout --force")


@pytest.mark.usefixtures("pictures")
def test_service_is_asked(checkout: Checkout) -> None:
    serve, *others = HERE["test_service_is_asked"]
    with service(checkout, f"FEEDBACK_DIR=data/feedback {serve}"):
        curl = [command for command in others if command.startswith("curl")]
        answers = [checkout.said(f"curl --silent --fail {one.removeprefix('curl ')}") for one in curl]
        assert len(json.loads(answers[1])["probabilities"]) == 10
        assert json.loads(answers[2])["text"]
        assert set(json.loads(answers[3])) == {"id"}
        assert json.loads(answers[4])["kept"] == 1
        for command in others[len(curl) :]:
            told = checkout.said(command, status=2)
            assert "100" in told, "it counts the pictures, and has too few"


@contextmanager
def service(checkout: Checkout, command: str) -> Iterator[None]:
    """A context in which the service that a command starts is ready; Ctrl-C ends it."""
    log = checkout.folder / "build" / "service.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=checkout.folder,
            env=checkout.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not ready(checkout.port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.heavy  # it imports TensorFlow
@pytest.mark.usefixtures("pictures")
def test_own_model_is_served(checkout: Checkout) -> None:
    export, serve = HERE["test_own_model_is_served"]
    shutil.copy2(
        checkout.folder / "models" / "candidate" / "digits.keras", checkout.folder / "my_model.keras"
    )
    assert "my_model" in checkout.said(export)
    with service(checkout, serve):
        answer = json.loads(checkout.said("curl -sf -F image=@drawing.png http://127.0.0.1:3000/predict"))
    assert len(answer["probabilities"]) == 10
    assert answer["model"] != "1", "it is not the champion that answers"


def test_feedback_is_reviewed(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / "data" / "feedback", ignore_errors=True)
    store = Store(checkout.folder / "data" / "feedback", Limits(free_bytes=0))
    first, second = (
        store.keep(png(checkout, shade), label, answer, 0.9, "1")
        for shade, label, answer in ((0, "7", "1"), (80, "4", "9"))
    )
    store.keep(png(checkout, 160), "7", "1", 0.9, "1")
    checkout.other.update({"3fa29c01": first[:8], "77b0": second[:8]})
    states = []
    for command in HERE["test_feedback_is_reviewed"]:
        checkout.said(command, typed="q\n" if command == "make feedback" else "yes\n")
        states.append({one.id: (one.state, one.label) for one in store.kept()})
    counted, accepted, dropped, relabelled, negative, rest, exported, deleted, emptied = states
    assert counted[first] == ("new", "7")
    assert [state for state, _ in accepted.values()].count("accepted") == 2
    assert (dropped[first][0], dropped[second][0]) == ("dropped", "dropped")
    assert relabelled[first] == ("accepted", "2047")
    assert negative[first] == ("accepted", "-3,5")
    assert rest == exported == negative
    assert (checkout.folder / "mine.zip").is_file()
    assert first not in deleted
    assert emptied == {}


def png(checkout: Checkout, shade: int) -> bytes:
    path = checkout.folder / "build" / "shade.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((30, 40), shade, np.uint8)).save(path)
    return path.read_bytes()


@pytest.mark.usefixtures("pictures")
def test_files_are_read(checkout: Checkout) -> None:
    checkout.other.update({"FILE ...": "photo.jpg drawing.png"})
    said = {command: checkout.said(command) for command in HERE["test_files_are_read"]}
    assert "drawing.png: 7" in said["python -m digits FILE ..."]
    table = (checkout.folder / "sheet.csv").read_text(encoding="utf-8")
    assert table.splitlines() == said["digits --table sheet.jpg"].splitlines()[: len(table.splitlines())]
    rows = said["digits FOLDER --format csv"].splitlines()
    assert rows[0] == "file,line,number,text,confidence,rejected,error"
    assert [row.split(",")[3] for row in rows[1:]] == ["3", "4"]
    assert "exit" in said["digits --help"].lower()


@pytest.mark.usefixtures("pictures")
def test_reader_of_the_readme_reads(checkout: Checkout) -> None:
    """The README's Python program."""
    (program,) = re.findall(
        r"^ *```python\n(.*?)^ *```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    (checkout.folder / "ask.py").write_text(re.sub(r"^  ", "", program, flags=re.MULTILINE), encoding="utf-8")
    assert re.fullmatch(r"[\d\s.,?-]+", checkout.said("python ask.py"))


@pytest.mark.heavy
def test_data_goes_through_a_remote(checkout: Checkout) -> None:
    remote = checkout.folder / "build" / "remote"
    remote.mkdir(parents=True, exist_ok=True)
    (checkout.folder / ".env").write_text(f"DVC_REMOTE_URL={remote}\n", encoding="utf-8")
    said = {
        command: checkout.said(command, typed="y\n") for command in HERE["test_data_goes_through_a_remote"]
    }
    assert "file" in said["dvc push"]
    assert [*(remote / "files").iterdir()]
    assert [*(remote / "runs").iterdir()]
    (checkout.folder / ".env").unlink()


@pytest.mark.heavy
def test_clean_leaves_data_and_runs(checkout: Checkout) -> None:
    """Must run last, because it removes the environment and the stamps of the installed packages."""
    (command,) = HERE["test_clean_leaves_data_and_runs"]
    checkout.said(command)
    assert not (checkout.folder / ".venv").exists()
    assert (checkout.folder / "models" / "champion" / "manifest.json").is_file()
    assert (checkout.folder / "mlruns" / "mlflow.db").is_file()
