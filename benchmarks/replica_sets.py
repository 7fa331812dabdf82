"""Replicas of the service behind nginx: containers of `docker compose`, or bare processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from benchmarks.load_cost import Trees
from benchmarks.serving_contenders import Contender, Payload, service
from benchmarks.serving_load import running
from benchmarks.serving_ours import proxy_configuration
from tests.compose.stack import copy_of_project, docker

PROJECT = "digits-bench"


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """The address of running replicas, and the processes of `service` and `proxy`."""

    url: str
    trees: Trees


@contextmanager
def bare(
    replicas: int, payload: Payload, model: Path, port: int, path: str = "/predict"
) -> Iterator[ReplicaSet]:
    """Run services with one worker each behind nginx, with compose's configuration and their addresses."""
    each = [service(payload, 1, model) for _ in range(replicas)]
    with running(each, port + 1), tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        servers = " ".join(f"server 127.0.0.1:{one.port};" for one in each)
        Path(folder).chmod(0o755)  # started by root, nginx's workers run as nobody
        configuration = proxy_configuration(port, "replicas", Path(folder))
        configuration = configuration.replace("http {", f"http {{ upstream replicas {{ {servers} }}", 1)
        (Path(folder) / "nginx.conf").write_text(configuration)
        nginx = subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf", "-g", "daemon off;"])
        try:
            proxy = Contender("proxy", [], payload, path, port=port)
            proxy.wait(20)
            roots = [one.process.pid for one in each if one.process]
            yield ReplicaSet(proxy.url, {"service": roots, "proxy": [nginx.pid]})
        finally:
            nginx.terminate()
            nginx.wait(10)


class Compose:
    """`docker compose` in a copy of the project, of which only service and proxy are started."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "LOG_LEVEL": "warning",
            "COMPOSE_PROJECT_NAME": PROJECT,
            **settings,
        }

    def __call__(self, *arguments: str) -> None:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"`docker compose {' '.join(arguments)}`: {done.stderr[-2000:]}")

    def pids(self, name: str) -> list[int]:
        """The first process of each running container of a service."""
        labels = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={name}"]
        found = docker("ps", "-q", *(word for label in labels for word in ("--filter", f"label={label}")))
        told = docker("inspect", "-f", "{{.State.Pid}}", *found.split()) if found.strip() else ""
        return [int(line) for line in told.split()]

    def proxy_address(self) -> str:
        """The proxy's own address, because the published port would go through Docker's forwarder."""
        container = docker("ps", "-q", "--filter", f"name={PROJECT}.proxy").split()[0]
        shown = '{{(index .NetworkSettings.Networks "' + f"{PROJECT}_default" + '").IPAddress}}'
        return docker("inspect", "-f", shown, container).strip()


@contextmanager
def composed(port: int) -> Iterator[Compose]:
    """Build the images; at the end, remove everything except them."""
    with tempfile.TemporaryDirectory(prefix="compose-") as made:
        folder = Path(made) / "project"
        copy_of_project(folder)
        user = {"UID": str(os.getuid()), "GID": str(os.getgid())} if os.getuid() else {}
        compose = Compose(folder, {"SERVICE_PORT": str(port), **user})
        try:
            compose("build", "folders", "service")
            yield compose
        finally:
            compose("down", "--volumes", "--remove-orphans")


@contextmanager
def in_compose(
    compose: Compose, replicas: int, payload: Payload, path: str = "/predict"
) -> Iterator[ReplicaSet]:
    """Run this many containers of the service behind the proxy's container."""
    compose("up", "-d", "--no-build", "--scale", f"service={replicas}", "proxy")
    end = time.monotonic() + 90
    while len(compose.pids("service")) != replicas and time.monotonic() < end:
        time.sleep(0.5)
    url = f"http://{compose.proxy_address()}:3000{path}"
    while not _answers(url, payload):
        if time.monotonic() > end:
            raise SystemExit(f"{url} does not answer.")
        time.sleep(0.2)
    time.sleep(2)  # nginx asks Docker every second for the addresses of the replicas
    yield ReplicaSet(url, {"service": compose.pids("service"), "proxy": compose.pids("proxy")})


def _answers(url: str, payload: Payload) -> bool:
    request = urllib.request.Request(url, payload.content, {"Content-Type": payload.kind})
    with suppress(OSError), urllib.request.urlopen(request, timeout=20) as answer:
        return bool(answer.status == HTTPStatus.OK)
    return False
