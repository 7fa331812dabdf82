"""Model folders of earlier versions with this code, and those of this version with earlier code.

The rule in docs/releasing.md is that unknown entries of a manifest are ignored, and an unknown `format` is
refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digits import DEFAULT_MODEL, ModelError, Reader
from service.runtime.champion import Champion
from service.runtime.trial import self_test
from tests.service.conftest import draw, serving, wait_until
from tests.service.encoding import encoded

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "ui" / "canvas" / "examples"
MANIFESTS = ROOT / "tests" / "data" / "manifests"

FIRST = "eb0a4e8"  # the first commit with a model, whose manifest has no `format`
FORMAT = "a5ef5b6"  # the first commit whose manifest has one
OLD = {
    FIRST: "no format",
    FORMAT: "format 1",
    "0e48706": "trained on spoilt digits too",
    "a7ef198": "a threshold for scans",
}

READ = """
import json, sys
from pathlib import Path
from PIL import Image
from digits import ModelError, Reader
try:
    reader = Reader.load(Path(sys.argv[1]))
    print(json.dumps([reader.predict(Image.open(name)).digit for name in sys.argv[2:]]))
except ModelError as error:
    print(json.dumps(str(error)))
"""


def of_commit(commit: str, folder: Path, *names: str) -> Path:
    """Extract folders and files of a commit; skips the test if the clone does not have that commit."""
    done = subprocess.run(["git", "archive", commit, "--", *names], cwd=ROOT, capture_output=True)
    if done.returncode:
        pytest.skip(f"NO HISTORY: {commit} is not in this clone (`git fetch --unshallow`): {done.stderr!r}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def put(folder: Path, **entries: Any) -> Path:
    """Write today's model, and then, atomically, a manifest with these entries."""
    folder.mkdir(parents=True, exist_ok=True)
    content = (DEFAULT_MODEL / "digits.onnx").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / f"{sha256}.onnx").write_bytes(content)
    temporary = folder / "manifest.json.new"
    temporary.write_text(json.dumps(entries | {"file": f"{sha256}.onnx", "sha256": sha256}), encoding="utf-8")
    temporary.replace(folder / "manifest.json")
    return folder


def read_by(code: Path, model: Path) -> Any:
    """The ten example digits as read by the code in a folder with a model, or its error message."""
    pictures = [str(EXAMPLES / f"{digit}.png") for digit in range(10)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, str(model), *pictures],
        cwd=code,
        env=os.environ | {"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read_here(folder: Path) -> list[int | None]:
    reader = Reader.load(folder)
    self_test(reader)  # the service's test of a model before it is served
    return [reader.predict(Image.open(EXAMPLES / f"{digit}.png")).digit for digit in range(10)]


@pytest.mark.parametrize("name", [path.stem for path in sorted(MANIFESTS.glob("*.json"))])
def test_manifests_of_earlier_versions_are_read(name: str, tmp_path: Path) -> None:
    entries = json.loads((MANIFESTS / f"{name}.json").read_text(encoding="utf-8"))
    folder = put(tmp_path / "model", **entries)
    assert read_here(folder) == list(range(10))
    manifest = Reader.load(folder).model.manifest
    for entry in ("version", "temperature", "rejection_threshold", "metrics", "data_sha256"):
        assert getattr(manifest, entry) == entries[entry]
    assert manifest.format == 1
    assert manifest.turns == entries.get("turns", [])


@pytest.mark.parametrize("commit", OLD)
def test_models_of_earlier_versions_read_under_this_code(commit: str, tmp_path: Path) -> None:
    folder = of_commit(commit, tmp_path, "digits/default") / "digits" / "default"
    assert manifest_of(folder)["sha256"] != manifest_of(DEFAULT_MODEL)["sha256"]
    assert read_here(folder) == list(range(10))


@pytest.mark.parametrize("commit", OLD)
def test_this_model_reads_under_earlier_code(commit: str, tmp_path: Path) -> None:
    code = of_commit(commit, tmp_path / "code", "digits")
    assert read_by(code, DEFAULT_MODEL) == list(range(10))


def test_unknown_entries_are_ignored_and_an_unknown_format_is_refused(tmp_path: Path) -> None:
    own = manifest_of(DEFAULT_MODEL)
    assert read_here(put(tmp_path / "more", **own, of_later=[{"any": "thing"}])) == list(range(10))
    later = put(tmp_path / "later", **own | {"format": 2})
    with pytest.raises(ModelError) as refused:
        Reader.load(later)
    assert "is not a manifest that this version can read (`format`: Input should be 1)" in str(refused.value)
    assert str(refused.value).endswith("Promote the model again with the same version of the project.")
    code = of_commit(FORMAT, tmp_path / "code", "digits")
    assert "(`format`: Input should be 1)" in read_by(code, later)


def test_a_champion_of_a_later_format_leaves_the_present_one_in_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = manifest_of(DEFAULT_MODEL) | {"version": "1"}
    folder = put(tmp_path / "champion", **own)
    champion = Champion(folder)
    champion.refresh()
    put(folder, **own | {"version": "2", "format": 2})
    with caplog.at_level(logging.ERROR, "service"):
        champion.refresh()
    assert champion.reader().model.manifest.version == "1"
    assert "with the same version of the project" in caplog.text
    put(folder, **own | {"version": "3"})
    champion.refresh()
    assert champion.reader().model.manifest.version == "3"


def test_an_earlier_service_goes_on_and_takes_a_champion_of_this_version(tmp_path: Path) -> None:
    """This can happen in compose, where `pipeline` may be newer than the service's image."""
    code = of_commit(FORMAT, tmp_path / "code", "digits", "service", "pyproject.toml")
    folder = tmp_path / "champion"
    shutil.copytree(code / "digits" / "default", folder)
    old = manifest_of(folder)["version"]
    seven = encoded(draw("7"))

    def model() -> Any:
        return server.get("/model").json()["version"]

    with serving(folder, tmp_path / "home", cwd=code, PYTHONPATH=str(code)) as server:
        assert (server.post("/predict", seven).json()["digit"], model()) == (7, old)
        own = manifest_of(DEFAULT_MODEL)
        put(folder, **own | {"version": "of later", "format": 2})
        wait_until(lambda: "(`format`: Input should be 1)" in server.log.read_text(), server, 20)
        assert (server.post("/predict", seven).json()["digit"], model()) == (7, old)
        put(folder, **own | {"version": "of today"})
        wait_until(lambda: model() == "of today", server, 20)
        assert server.post("/predict", seven).json()["digit"] == 7
