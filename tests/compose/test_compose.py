"""A real `docker compose up` in a fresh clone. The tests depend on each other, in this order."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext

from tests.browser.hand import answer, draw
from tests.compose.load import Load, drawing
from tests.compose.stack import SERVERS, Stack, docker, wait_until

pytestmark = pytest.mark.timeout(2700)  # the first test builds the images and trains

BASE = "python:3.11-slim-bookworm"
MEGABYTE = 1_000_000  # as `docker images` counts


def test_up_in_a_fresh_clone_answers_before_the_pipeline_is_done(stack: Stack) -> None:
    wait_until(stack.healthy, 120)
    (pipeline,) = stack.containers("pipeline")
    assert pipeline["State"]["Running"], stack.compose("logs", "--no-color", "pipeline")
    assert stack.model() == "default"


@pytest.mark.usefixtures("trained")
def test_pipeline_makes_a_champion_that_takes_over(stack: Stack) -> None:
    log = stack.compose("logs", "--no-color", "pipeline")
    assert all(f"Running stage '{stage}'" in log for stage in ("fetch", "preprocess", "train", "evaluate"))
    answered = httpx.post(f"{stack.service}/predict", files={"image": drawing()}, timeout=10, trust_env=False)
    assert (answered.json()["digit"], answered.json()["model"]) == (1, "1")


def test_containers_have_no_more_rights_than_they_need(stack: Stack) -> None:
    for one in stack.containers():
        name, host = one["Name"], one["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert all(host[limit] for limit in ("Memory", "PidsLimit", "NanoCpus")), name
        assert host["LogConfig"]["Config"]["max-size"], name
        if one["Config"]["Labels"]["com.docker.compose.service"] == "folders":
            assert (host["NetworkMode"], one["State"]["ExitCode"]) == ("none", 0)
        else:
            assert not host["CapAdd"], name
            assert int(one["Config"]["User"].partition(":")[0]) > 0, name


def test_servers_restart_and_have_time_to_finish(stack: Stack) -> None:
    for one in (one for name in SERVERS for one in stack.containers(name)):
        assert one["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", one["Name"]
        assert one["Config"]["StopTimeout"] >= 10, one["Name"]
    (follower,) = stack.containers("follower")
    assert follower["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert follower["HostConfig"]["NetworkMode"] == "none"


def test_ports_are_published_on_this_machine_only(stack: Stack) -> None:
    bindings = [b for one in stack.containers() for b in one["HostConfig"]["PortBindings"].values() if b]
    assert {entry["HostIp"] for binding in bindings for entry in binding} == {"127.0.0.1"}
    assert len(bindings) == 3
    assert docker("network", "inspect", "-f", "{{.Internal}}", f"{stack.name}_inside").strip() == "true"


@pytest.mark.parametrize(("name", "megabytes"), [("service", 450), ("page", 550)])
def test_image_is_small_and_holds_no_training_tools(stack: Stack, name: str, megabytes: int) -> None:
    size, base = (
        int(docker("image", "inspect", "-f", "{{.Size}}", image)) for image in (f"digits-{name}:test", BASE)
    )
    assert (size - base) / MEGABYTE <= megabytes
    container = stack.containers(name)[0]["Id"]
    asked = (
        "from importlib.util import find_spec; from shutil import which;"
        "print(find_spec('tensorflow'), which('gcc'), which('cc'))"
    )
    assert docker("exec", container, "python", "-c", asked).split() == ["None"] * 3


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("name", ["pipeline", "service", "page", "proxy"])
def test_image_says_what_it_is(name: str) -> None:
    told = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", f"digits-{name}:test"))
    begin = "org.opencontainers.image."
    assert (told[f"{begin}title"], told[f"{begin}base.name"]) == (f"digits-{name}", BASE)
    assert told[f"{begin}licenses"] == "MIT"


def test_digit_drawn_in_the_page_is_read(stack: Stack, context: BrowserContext, artifacts: Path) -> None:
    page = context.new_page()
    page.goto(stack.page)
    page.wait_for_selector("[data-ready]")
    draw(page, 7)
    read = answer(page)
    page.screenshot(path=artifacts / "compose-page.png")
    assert read == "7"


@pytest.mark.usefixtures("trained")
def test_mlflow_shows_a_run_of_the_container_with_its_picture(stack: Stack, context: BrowserContext) -> None:
    assert picture_width(stack, context, run_of(stack, "1")) > 100


def test_mlflow_answers_under_its_own_name_and_no_strangers(stack: Stack) -> None:
    for host, status in (("mlflow:5000", 200), ("elsewhere.example", 403)):
        answered = httpx.get(stack.mlflow, headers={"Host": host}, timeout=10, trust_env=False)
        assert answered.status_code == status, host


@pytest.mark.usefixtures("trained")
def test_host_takes_up_what_a_container_made(stack: Stack) -> None:
    """Stages that the container has run are not repeated, and its model is in the shared store."""
    assert "Running stage" not in stack.run(sys.executable, "-m", "dvc", "repro")
    stack.run(sys.executable, "-m", "pipeline.promote", "1")
    assert stack.model() == "1"


@pytest.mark.heavy
@pytest.mark.usefixtures("trained")
def test_containers_go_on_with_addresses_that_the_host_put_right(stack: Stack) -> None:
    """Containers find the files under their own path, although the database has the host's addresses."""
    stack.run(sys.executable, "-m", "pipeline.champion")  # any command of the host does that
    run = run_of(stack, "1")
    path = f"{stack.mlflow}/get-artifact?run_uuid={run}&path="
    picture = stack.folder / "mlruns" / "artifacts" / run / "artifacts" / "confusion.png"
    assert httpx.get(f"{path}confusion.png", timeout=20, trust_env=False).content == picture.read_bytes()
    (follower,) = stack.containers("follower")
    code = (
        "import mlflow; from pipeline.registry import runs; client = runs.connect();"
        f"client.log_text('{run}', 'of a container', 'note.txt');"
        f"print(client.get_run('{run}').info.artifact_uri);"
        "print(mlflow.pyfunc.load_model('models:/digits@champion').metadata.run_id)"
    )
    address, loaded = docker("exec", follower["Id"], "python", "-W", "ignore", "-c", code).split()
    assert (address, loaded) == (picture.parent.as_uri(), run)
    assert picture.with_name("note.txt").read_text(encoding="utf-8") == "of a container"
    picture.with_name("note.txt").unlink()


@pytest.mark.heavy  # another training
@pytest.mark.usefixtures("trained")
def test_run_of_the_host_shows_and_its_model_is_served_in_two_seconds(
    stack: Stack, context: BrowserContext
) -> None:
    params = stack.folder / "params.yaml"
    params.write_text(
        re.sub(r"epochs: \d+", "epochs: 2", params.read_text(encoding="utf-8")), encoding="utf-8"
    )
    done = stack.run(sys.executable, "-m", "dvc", "repro")
    assert "Stage 'preprocess' didn't change" in done  # the host uses what a container has made
    stack.run(sys.executable, "-m", "pipeline.promote", "2")
    wait_until(lambda: stack.model() == "2", 2)
    assert picture_width(stack, context, run_of(stack, "2")) > 100


@pytest.mark.usefixtures("replicas")
def test_load_spreads_over_replicas(stack: Stack) -> None:
    time.sleep(2)  # until the proxy resolves the name again
    with Load(stack.service) as load:
        time.sleep(4)
    assert set(load.answers) == {"200"}
    answers = re.findall(r"POST /predict .* by ([\d.]+):3000", stack.compose("logs", "--no-color", "proxy"))
    shares = Counter(answers[-load.answers["200"] :])
    assert len(shares) == 3
    assert min(shares.values()) > load.answers["200"] / 6, shares


@pytest.mark.heavy
@pytest.mark.usefixtures("replicas")
def test_promotion_in_a_container_reaches_every_replica_in_two_seconds(stack: Stack) -> None:
    stack.compose("run", "--rm", "pipeline", "python", "-m", "pipeline.promote", "1")
    time.sleep(2)
    asked = "import urllib.request as u, json; print(json.load(u.urlopen('http://127.0.0.1:3000/model'))['version'])"
    replicas = stack.containers("service")
    assert [docker("exec", one["Id"], "python", "-c", asked).strip() for one in replicas] == ["1"] * 3


@pytest.mark.heavy
@pytest.mark.usefixtures("replicas")
def test_alias_moved_in_mlflow_reaches_the_service_in_two_seconds(stack: Stack) -> None:
    address = f"{stack.mlflow}/api/2.0/mlflow/registered-models/alias"
    for version in ("2", "1"):
        moved = {"name": "digits", "alias": "champion", "version": version}
        httpx.post(address, json=moved, timeout=10, trust_env=False).raise_for_status()
        time.sleep(2)
        assert {stack.model() for _ in range(10)} == {version}


def test_killed_replica_fails_no_request(stack: Stack) -> None:
    with Load(stack.service, clients=6) as load:
        time.sleep(2)
        docker("kill", stack.containers("service")[0]["Id"])
        time.sleep(4)
    assert load.answers["200"] > 100
    # All are retried, except one killed between its answer's headers and body (docs/decisions/compose.md).
    broken = [answer for answer in load.answers if answer != "200"]
    assert not broken or (len(broken) == 1 and "RemoteProtocolError" in broken[0]), load.answers
    assert load.answers.total() - load.answers["200"] <= 1, load.answers


def test_broken_and_endless_heads_are_refused_by_the_proxy(stack: Stack) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(100))
    for sent, status, code in (
        (b"nonsense\r\n\r\n", 400, "broken_http"),
        (b"GET /livez HTTP/9.9\r\n\r\n", 400, "broken_http"),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431, "head_too_large"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n", 431, "head_too_large"),
        (b"GET /refused/away HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "not_found"),
    ):
        answered = sent_raw(stack, sent)
        assert answered.startswith(f"HTTP/1.1 {status} "), sent[:40]
        assert f'"code": "{code}"' in answered


@pytest.mark.heavy
def test_slow_and_silent_heads_are_closed_by_the_proxy(stack: Stack) -> None:
    began = time.monotonic()
    assert sent_raw(stack, b"GET /livez HTTP/1.1\r\nX: a") == ""
    assert 5 < time.monotonic() - began < 20


def test_stopped_service_is_told_of_in_one_sentence(stack: Stack) -> None:
    stack.compose("stop", "service")
    answered = httpx.post(f"{stack.service}/predict", files={"image": drawing()}, timeout=20, trust_env=False)
    assert answered.status_code == 503
    assert answered.headers["Retry-After"] == "1"
    assert answered.json()["code"] == "away"
    stack.compose("start", "service")
    wait_until(lambda: alive(stack), 30)


@pytest.mark.heavy
def test_crashed_server_is_started_again(stack: Stack) -> None:
    page = stack.containers("page")[0]["Id"]
    docker("exec", page, "bash", "-c", "kill -9 -1")  # all but the first process, which then ends too
    wait_until(lambda: stack.containers("page")[0]["RestartCount"] == 1, 10)
    wait_until(stack.healthy, 120)


@pytest.mark.heavy
def test_changed_code_is_built_in_fifteen_seconds(stack: Stack) -> None:
    for name in ("service", "ui"):
        with (stack.folder / name / "__init__.py").open("a", encoding="utf-8") as file:
            file.write("\n# changed\n")
    began = time.monotonic()
    stack.compose("build", "service", "page")
    assert time.monotonic() - began < 15


@pytest.mark.usefixtures("trained")
def test_down_leaves_data_and_runs_and_up_with_a_champion_is_healthy_in_thirty_seconds(stack: Stack) -> None:
    served = stack.model()
    stack.compose("down")
    left = stack.left()
    empty = ("_database", "_prometheus", "_alertmanager")  # of profiles; Compose 1 creates them anyway
    left["volumes"] = [name for name in left["volumes"] if not name.endswith(empty)]
    assert not any(left.values()), left
    kept = (
        "data/raw",
        "mlruns/mlflow.db",
        "mlruns/artifacts",
        "models/champion/manifest.json",
        "reports/metrics.json",
    )
    assert all((stack.folder / path).exists() for path in kept)
    began = time.monotonic()
    stack.compose("up", "-d")
    wait_until(stack.healthy, 120)
    assert time.monotonic() - began < 30
    assert stack.model() == served != "default"


def test_feedback_is_switched_on_by_a_second_file_and_the_container_gains_nothing_else(stack: Stack) -> None:
    def asked() -> httpx.Response:
        return httpx.get(f"{stack.service}/feedback", timeout=20, trust_env=False)

    assert asked().json()["code"] == "feedback_off"
    folder = stack.folder / "data" / "feedback"
    folder.mkdir(0o700)
    stack.compose("-f", "docker-compose.yml", "-f", "docker-compose.feedback.yml", "up", "-d")
    wait_until(lambda: asked().status_code == 200, 120)
    form: dict[str, Any] = {"files": {"image": drawing()}, "data": {"label": "7"}}
    answer = httpx.post(f"{stack.service}/feedback", timeout=20, trust_env=False, **form)
    assert answer.status_code == 200, answer.text
    assert (folder / f"{answer.json()['id']}.png").read_bytes() == drawing()
    (service,) = stack.containers("service")
    assert service["HostConfig"]["ReadonlyRootfs"]
    assert int(service["Config"]["User"].partition(":")[0]) > 0
    assert sorted(mount["Destination"] for mount in service["Mounts"] if mount["RW"]) == [
        "/feedback",
        "/traffic",
    ]


def alive(stack: Stack) -> bool:
    return httpx.get(f"{stack.service}/readyz", timeout=20, trust_env=False).is_success


def sent_raw(stack: Stack, request: bytes) -> str:
    """The response to these bytes until the connection is closed."""
    address = urlsplit(stack.service)
    with socket.create_connection((address.hostname, address.port), timeout=30) as client:
        client.sendall(request)
        return client.makefile("rb").read().decode()


def run_of(stack: Stack, version: str) -> str:
    """The run of a model version, from the composed MLflow."""
    address = f"{stack.mlflow}/api/2.0/mlflow/model-versions/get?name=digits&version={version}"
    return str(
        httpx.get(address, timeout=10, trust_env=False).raise_for_status().json()["model_version"]["run_id"]
    )


def picture_width(stack: Stack, context: BrowserContext, run: str) -> int:
    """The width in pixels of a run's confusion matrix, as in MLflow's UI."""
    info = httpx.get(
        f"{stack.mlflow}/api/2.0/mlflow/runs/get?run_id={run}", timeout=10, trust_env=False
    ).json()
    experiment = info["run"]["info"]["experiment_id"]
    page = context.new_page()
    page.goto(f"{stack.mlflow}/#/experiments/{experiment}/runs/{run}/artifacts/confusion.png")
    image = page.wait_for_selector("img[alt='confusion.png']", timeout=40_000)
    assert image is not None
    page.wait_for_function("image => image.naturalWidth > 0", arg=image, timeout=20_000)
    return int(image.evaluate("image => image.naturalWidth"))
