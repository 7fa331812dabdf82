"""The registered model for other users: its files in MLflow are all that it needs."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
import yaml
from mlflow import MlflowClient
from packaging.requirements import Requirement
from PIL import Image

from digits.network.model import Manifest
from digits.reader import DEFAULT_MODEL
from pipeline.registry import runs, versions
from tests.pipeline.conftest import small_test_set
from tests.ports import free_port
from tests.processes import running, wait_until_healthy

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
DIGITS = small_test_set(3).images


@pytest.fixture
def logged(project: Path) -> Path:
    """The files of a version with the default model."""
    with runs.training_run({"seed": 1}) as begun:
        pass
    with runs.reopened_run(begun, {}) as (client, run_id):
        made = versions.register(client, run_id, DEFAULT_MODEL, {}, DIGITS)
        client.set_registered_model_alias("digits", versions.CHAMPION, made)
    (found,) = (project / "mlruns").rglob("MLmodel")
    return found.parent


def test_weights_are_one_file_the_very_one_that_was_evaluated(logged: Path) -> None:
    files = [path for path in (logged / "data").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"manifest.json", "digits.onnx"}
    assert [path for path in logged.rglob("*") if path.stat().st_size > 100_000] == [
        logged / "data" / "model" / "digits.onnx"
    ]
    content = (logged / "data" / "model" / "digits.onnx").read_bytes()
    assert hashlib.sha256(content).hexdigest() == Manifest.load(DEFAULT_MODEL).sha256


def test_model_says_what_it_takes_and_gives(logged: Path) -> None:
    told = yaml.safe_load((logged / "MLmodel").read_text(encoding="utf-8"))
    assert json.loads(told["signature"]["inputs"])[0]["name"] == "picture"
    outputs = [one["name"] for one in json.loads(told["signature"]["outputs"])]
    assert outputs == ["digit", "confidence", "rejected"]
    manifest = Manifest.load(DEFAULT_MODEL)
    assert told["metadata"]["temperature"] == manifest.temperature
    assert "0..255" in told["metadata"]["input"]
    client = MlflowClient()
    assert "image files as bytes" in client.get_registered_model("digits").description


def test_input_example_is_answered(logged: Path) -> None:
    model = mlflow.pyfunc.load_model("models:/digits@champion")
    assert model.predict(model.input_example)["digit"].tolist() == model.predict(DIGITS)["digit"].tolist()
    assert (logged / "serving_input_example.json").is_file()


def test_requirements_are_all_that_the_model_imports_at_the_locked_versions(logged: Path) -> None:
    written = map(Requirement, (logged / "requirements.txt").read_text(encoding="utf-8").split())
    found = {one.name: str(one.specifier) for one in written}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {Requirement(one).name for one in project["dependencies"]} | {"mlflow", "pandas"}
    assert found == {name: f"=={version(name)}" for name in needed}


def test_model_loads_where_this_project_is_not_and_warns_of_nothing(logged: Path, tmp_path: Path) -> None:
    code = (
        "import sys, warnings, mlflow\n"
        "import mlflow.pyfunc\n"  # warns of its own type hints
        "warnings.simplefilter('error')\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "print(model.predict(model.input_example)['digit'].tolist())\n"
        "print(sys.modules['digits'].__file__)\n"
    )
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(logged)],
        cwd=tmp_path,
        env=elsewhere,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    digits, file = done.stdout.splitlines()
    assert digits == "[9, 0, 6]"
    assert Path(file).is_relative_to(logged / "code")
    assert not done.stderr, "onnxruntime warns of a GPU that is not there"


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_model_is_served_by_mlflow_in_the_environment_that_it_records(logged: Path, tmp_path: Path) -> None:
    """`mlflow models serve` in an environment with only the model's requirements."""
    environment = tmp_path / "environment"
    install_requirements(environment, logged / "requirements.txt")
    port = free_port()
    served: list[str | Path | int] = [
        "models",
        "serve",
        "--model-uri",
        logged,
        "--env-manager",
        "local",
        "--port",
        port,
    ]
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    log = tmp_path / "serve.log"
    with running([environment / "bin" / "mlflow", *served], log, {"PATH": path, "PYTHONPATH": ""}) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, process, log)
        content = io.BytesIO()
        Image.fromarray(DIGITS[0]).save(content, "png")
        file = base64.b64encode(content.getvalue()).decode()
        for body in (
            {"inputs": DIGITS.tolist()},
            {"instances": DIGITS.tolist()},
            json.loads((logged / "serving_input_example.json").read_text(encoding="utf-8")),
        ):
            assert [row["digit"] for row in invoke(address, body)["predictions"]] == [9, 0, 6]
        for body in (
            {"dataframe_split": {"columns": ["picture"], "data": [[file]]}},
            {"dataframe_records": [{"picture": file}]},
            {"inputs": [file]},
            {"instances": [{"picture": file}]},
        ):
            (row,) = invoke(address, body)["predictions"]
            assert (row["digit"], row["rejected"]) == (9, None)
        faint = invoke(address, {"inputs": (DIGITS / 255).tolist()}, status=400)
        assert "Multiply by 255" in faint["message"]
    assert "CUDA" not in log.read_text(encoding="utf-8")


def install_requirements(environment: Path, requirements: Path) -> None:
    """A virtual environment with only these packages; skipped with a message if no registry is reachable."""
    uv = (sys.executable, "-m", "uv")
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    into = ("--python", str(environment / "bin" / "python"), "-r", str(requirements))
    command = [*uv, "pip", "install", "--quiet", *into]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if "error sending request" in done.stderr:
        pytest.skip(f"NO PACKAGES: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr


def invoke(address: str, body: object, status: int = 200) -> dict[str, Any]:
    answer = httpx.post(f"{address}/invocations", json=body, timeout=60, trust_env=False)
    assert answer.status_code == status, answer.text[-500:]
    told: dict[str, Any] = answer.json()
    return told
