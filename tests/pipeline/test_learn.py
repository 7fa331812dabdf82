"""`make learn`: the whole cycle over HTTP, and interruptions of the command."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image, ImageChops

from digits.reader import Reader
from feedback.store import Store
from pipeline import learn
from pipeline.learning import selection
from pipeline.learning.index import read_index
from pipeline.mnist.accepted import SIDES, Accepted
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import PipelineError
from pipeline.project.paths import ACCEPTED, ACCEPTED_POINTER, PROCESSED
from pipeline.synthesis.forms import strokes
from pipeline.synthesis.pen import Hand, write
from pipeline.synthesis.prototypes import prototype
from tests.pipeline.learning.drawings import as_jpeg, page, png
from tests.service.conftest import Server, serving, wait_until

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "mnist-small"

MIRRORED = strokes("60,4 4,2! 24,50 36,100")
"""A mirrored 7, as children write it, which is neither in MNIST nor among the project's own forms."""
SENT, NOT_SENT = 48, 40


def mirrored_seven(seed: int, number: int) -> Image.Image:
    """Draw the form by hand, at a random position and size on a page."""
    rng = np.random.default_rng([seed, number])
    curves = write(MIRRORED, rng, Hand())
    side = rng.uniform(90, 190)
    return page(curves, side, round(0.08 * side), (int(rng.integers(0, 80)), int(rng.integers(0, 80))))


def command(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project's copy in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PYTHONPATH": str(folder), "PATH": path, "MNIST_DIR": str(SMALL), "MLFLOW_TRACKING_URI": ""}
    return os.environ | own


@contextmanager
def following(folder: Path) -> Iterator[None]:
    """Run the follower along with the service, as `make run` does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.follow"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def right(server: Server, seed: int, count: int) -> float:
    """Return the share of drawings that a service reads as 7."""
    answers = [server.post("/predict", png(mirrored_seven(seed, number))).json() for number in range(count)]
    return [answer["digit"] for answer in answers].count(7) / count


@pytest.mark.timeout(900)
def test_a_form_that_is_read_wrong_is_corrected_learnt_promoted_and_served(
    small_project: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_project, tmp_path / "project", symlinks=True)
    params = folder / "params.yaml"
    rule = params.read_text().replace("level: 0.05", "level: 0.02")
    assert rule != params.read_text()
    params.write_text(rule)  # so few pictures: a stricter level makes chance results on others less likely
    store = folder / "data" / "feedback"
    with (
        serving(folder / "models" / "champion", tmp_path / "home", FEEDBACK_DIR=str(store)) as server,
        following(folder),
    ):
        assert right(server, seed=1, count=SENT) < 0.2
        before = server.get("/model").json()["version"]
        for number in range(SENT):
            picture = png(mirrored_seven(1, number))
            files = {"image": ("drawn.png", picture), "label": (None, b"7")}
            answer = httpx.post(f"{server.url}/feedback", files=files, timeout=20, trust_env=False)
            assert answer.status_code == 200, answer.text
        command(folder, "pipeline.feedback", "--all", "--accept")
        said = command(folder, "pipeline.learn").stdout
        wait_until(lambda: server.get("/model").json()["version"] != before, server, 20)
        assert right(server, seed=2, count=NOT_SENT) >= 0.9
    paragraph = said.strip().splitlines()[-1]
    assert f"{SENT} pictures of feedback are new" in paragraph
    assert "is served, because it is significantly better than version 1 (the champion)" in paragraph
    decision = json.loads((folder / "reports" / "promotion.json").read_text())
    assert "worse" not in {row["verdict"] for row in decision["rows"]}
    accepted = next(row for row in decision["rows"] if row["name"] == "accepted feedback")
    assert accepted["verdict"] == "better"
    assert accepted["rival"] < 0.2 < 0.8 < accepted["candidate"]
    again = command(folder, "pipeline.learn").stdout
    assert again == "learn: no new feedback was accepted, so there is nothing to train\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with small data and the default model, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    shutil.copy2(SMALL / "params.yaml", "params.yaml")
    (ACCEPTED.parent).mkdir(parents=True)
    for split in learn.JUDGES:
        Digits(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8)).save(PROCESSED, split)
    return tmp_path


class Commands:
    """Fakes of the commands that `make learn` runs; those in `fails` fail."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: set[str] = set()

    def __call__(self, *arguments: str) -> int:
        name = " ".join(arguments[1:3])
        self.ran.append(name)
        if name in self.fails:
            return 1
        if name == "dvc add":
            ACCEPTED_POINTER.write_text("outs: []\n")
        return 0


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands()
    monkeypatch.setattr(learn, "command", found)
    monkeypatch.setattr(learn, "result", lambda: "Version 2 is served.")
    return found


@pytest.fixture
def store(project: Path) -> Store:
    return Store(project / "data" / "feedback")


def send(store: Store, numbers: range, label: str = "7") -> list[str]:
    """Send drawings and accept them; returns their ids."""
    ids = [store.keep(png(mirrored_seven(1, number)), label, "5", 0.5, "1") for number in numbers]
    for id in ids:
        store.judge(id, "accepted")
    return ids


def sides() -> dict[str, str]:
    return {id: taken.side for id, taken in read_index(ACCEPTED / "index.json").items()}


def test_accepted_pictures_are_taken_with_their_labels_and_no_others(
    store: Store, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = send(store, range(20))
    store.keep(png(mirrored_seven(1, 50)), "7", "5", 0.5, "1")  # nobody has judged it
    store.judge(store.keep(png(mirrored_seven(1, 51)), "7", "5", 0.5, "1"), "dropped")
    assert learn.learn(store.folder) == 0
    assert set(sides()) == set(ids)
    train, held = (Accepted.load(ACCEPTED, side) for side in ("train", "validation"))
    assert (train.digits.total, held.digits.total) == (14, 6)
    assert set(train.digits.labels) | set(held.digits.labels) == {7}
    assert not set(train.groups) & set(held.groups)
    assert commands.ran == ["dvc add", "pipeline.repro"]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "20 pictures of feedback are new: 14 for training and 6 for validation. Version 2 is served."
    )


def test_with_nothing_new_nothing_is_trained(
    store: Store, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert learn.learn(store.folder) == 0
    send(store, range(4))
    assert learn.learn(store.folder) == 0
    commands.ran.clear()
    store.keep(png(mirrored_seven(1, 50)), "7", "5", 0.5, "1")
    capsys.readouterr()
    assert learn.learn(store.folder) == 0
    assert commands.ran == []
    assert capsys.readouterr().out == (
        "learn: no new feedback was accepted, so there is nothing to train;"
        " `make feedback` has 1 new to review\n"
    )


@pytest.mark.parametrize("failing", ["dvc add", "pipeline.repro"])
def test_what_was_stopped_goes_on_and_tells_of_all_of_it(
    store: Store, commands: Commands, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
    send(store, range(10))
    commands.fails = {failing}
    with suppress(PipelineError):
        assert learn.learn(store.folder) == 1
    first = sides()
    commands.fails = set()
    send(store, range(10, 12))
    assert learn.learn(store.folder) == 0
    assert first.items() <= sides().items(), "sides stay"
    assert "12 pictures of feedback are new" in capsys.readouterr().out
    commands.ran.clear()
    assert learn.learn(store.folder) == 0
    assert commands.ran == []


@pytest.mark.usefixtures("commands")
def test_a_kill_while_pictures_are_written_leaves_none_or_all_that_training_reads(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(store, range(6))
    with monkeypatch.context() as patch:
        patch.setattr(selection, "write_index", _killed)
        with pytest.raises(KeyboardInterrupt):
            learn.learn(store.folder)
    assert not ACCEPTED.exists()
    assert learn.learn(store.folder) == 0
    send(store, range(6, 9))
    with monkeypatch.context() as patch:
        patch.setattr(selection, "write_index", _killed)
        with pytest.raises(KeyboardInterrupt):
            learn.learn(store.folder)
    assert sum(Accepted.load(ACCEPTED, side).digits.total for side in SIDES) == 9
    assert len(sides()) == 6
    assert learn.learn(store.folder) == 0
    assert len(sides()) == 9


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("commands")
def test_later_feedback_moves_no_picture_to_the_other_side(store: Store) -> None:
    send(store, range(12))
    learn.learn(store.folder)
    first = sides()
    send(store, range(12, 40))
    learn.learn(store.folder)
    assert first.items() <= sides().items()
    assert 10 <= list(sides().values()).count("validation") <= 13, "the share of all drawings"


@pytest.mark.usefixtures("commands")
def test_near_duplicates_lie_on_one_side(store: Store) -> None:
    for number in range(12):
        rng = np.random.default_rng([1, number])
        curves = write(MIRRORED, rng, Hand())
        for image in (page(curves), page(curves, at=(90, 70)), as_jpeg(page(curves)), page(curves, 120, 10)):
            store.judge(store.keep(png(image), "7", "5", 0.5, "1"), "accepted")
    learn.learn(store.folder)
    taken = read_index(ACCEPTED / "index.json").values()
    groups = {one.group for one in taken}
    assert len(taken) == 48
    assert 10 <= len(groups) <= 14
    assert len({(one.group, one.side) for one in taken}) == len(groups)


@pytest.mark.usefixtures("commands")
def test_dropped_pictures_go_and_new_labels_count(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    ids = send(store, range(8))
    learn.learn(store.folder)
    before = sides()
    store.judge(ids[0], "dropped")
    store.judge(ids[1], "accepted", "1")
    assert learn.learn(store.folder) == 0
    assert sides() == {id: side for id, side in before.items() if id != ids[0]}
    assert not (ACCEPTED / f"{ids[0]}.png").exists()
    assert read_index(ACCEPTED / "index.json")[ids[1]].label == "1"
    assert "1 picture has a new label. 1 picture has been dropped." in capsys.readouterr().out
    store.remove_all()
    assert learn.learn(store.folder) == 0
    assert len(sides()) == 7, "pictures that are no longer in the store stay"


def two_digits(at: tuple[int, int]) -> Image.Image:
    """A 3 and a 5 next to each other, always drawn the same."""
    rng = np.random.default_rng(3)
    left, right = (page(prototype(digit, rng), 100, 9, (at[0] + x, at[1])) for x, digit in ((0, 3), (120, 5)))
    return ImageChops.darker(left, right)


@pytest.mark.usefixtures("commands")
def test_one_drawing_with_two_labels_is_not_learnt_and_held_back_once_they_are_the_same(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    number = store.keep(png(two_digits((20, 40))), "35", "3", 0.5, "1")
    scribble = store.keep(png(two_digits((40, 60))), "not_a_digit", "35", 0.5, "1")
    for id in (number, scribble):
        store.judge(id, "accepted")
    learn.learn(store.folder)
    assert set(sides().values()) == {"train", "validation"}, "a number and a mark are not alike"
    store.judge(number, "accepted", "not_a_digit")
    capsys.readouterr()
    assert learn.learn(store.folder) == 0
    assert [Accepted.load(ACCEPTED, side).digits.total for side in SIDES] == [0, 1]
    assert capsys.readouterr().out.count("it is a near-duplicate of pictures for training") == 1


def test_a_parameter_that_is_none_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send(store, range(1))
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("validation: ", "valdiation: "))
    monkeypatch.setattr(sys, "argv", ["learn"])
    assert learn.main() == 1
    assert "params.yaml, section 'learn'" in capsys.readouterr().err


def test_a_full_disk_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(ACCEPTED))

    send(store, range(1))
    monkeypatch.setattr(selection, "write_index", full)
    monkeypatch.setattr(sys, "argv", ["learn"])
    assert learn.main() == 1
    assert "Free some space on its disk, and run the same command again" in capsys.readouterr().err


@pytest.mark.usefixtures("commands")
def test_where_all_is_dropped_nothing_is_left(store: Store) -> None:
    ids = send(store, range(2))
    learn.learn(store.folder)
    for id in ids:
        store.judge(id, "dropped")
    assert learn.learn(store.folder) == 0
    assert list(ACCEPTED.parent.iterdir()) == []


@pytest.mark.usefixtures("commands")
def test_what_cannot_be_learnt_is_told_and_stays_in_the_store(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    (id,) = send(store, range(1), label="77")
    assert learn.learn(store.folder) == 0
    said = capsys.readouterr().out
    assert f"learn: {id}.png is left out, because the label has 2 digits, but the reader finds 1" in said
    assert "there is nothing to train" in said
    assert store.count() == 1


@pytest.mark.usefixtures("commands")
def test_pictures_of_mnist_that_judge_models_are_not_learnt(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = Reader.load().seen(mirrored_seven(1, 0))
    assert seen is not None
    Digits(seen[None], np.array([7], np.uint8)).save(PROCESSED, "test")
    send(store, range(1))
    assert learn.learn(store.folder) == 0
    assert "it is one of MNIST's validation or test digits" in capsys.readouterr().out
    assert not ACCEPTED.exists()


@pytest.mark.usefixtures("store", "commands")
def test_pictures_that_dvc_has_elsewhere_are_asked_for() -> None:
    ACCEPTED_POINTER.write_text("outs: []\n")
    with pytest.raises(PipelineError, match="dvc pull"):
        learn.learn(Path("data/feedback"))
