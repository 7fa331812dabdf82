"""A fresh copy of the project, started with `docker compose` under its own name and on its own ports."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
SMALL = Path("tests/data/mnist-small")
TAG = "test"
IMAGES = tuple(
    f"digits-{name}:{TAG}" for name in ("pipeline", "service", "page", "proxy", "database", "monitoring")
)
SERVERS = ("mlflow", "service", "proxy", "page")
PORTS = ("SERVICE_PORT", "PAGE_PORT", "MLFLOW_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
NOT_IN_A_CLONE = {".env", ".venv", "data", "models", "mlruns"}


def copy_of_project(folder: Path) -> None:
    """Copy the files of a fresh clone, with the parameters for the small real subset of the digits."""

    def left_out(of: str, names: list[str]) -> Iterable[str]:
        made = {"__pycache__", "artifacts", "node_modules"}
        return NOT_IN_A_CLONE if Path(of) == ROOT else made & set(names)

    shutil.copytree(ROOT, folder, ignore=left_out, symlinks=True)
    for name in ("models", "mlruns"):
        (folder / name).mkdir()
    shutil.copy2(folder / SMALL / "params.yaml", folder / "params.yaml")


def free_ports() -> tuple[int, ...]:
    """A free port from 3500 to 3599 for each of `PORTS`."""
    found: list[int] = []
    for port in range(3500, 3600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == len(PORTS):
            return tuple(found)
    raise RuntimeError(f"no {len(PORTS)} ports of 3500 to 3599 are free")


class Stack:
    """The project in `folder` as `docker compose` runs it."""

    def __init__(self, folder: Path, name: str = "test") -> None:
        self.folder = folder
        self.name = f"digits-{name}-{os.getpid()}"
        ports = free_ports()
        self.service, self.page, self.mlflow, self.prometheus, self.alertmanager = (
            f"http://127.0.0.1:{port}" for port in ports
        )
        user = {"UID": str(os.getuid()), "GID": str(os.getgid())} if os.getuid() else {}
        self._environment = {
            **{
                key: value
                for key, value in os.environ.items()
                if key not in ("API_KEY", "WORKERS", "PROFILE", "PWD")  # the last as in PowerShell
            },
            **{name: str(port) for name, port in zip(PORTS, ports, strict=True)},
            **user,
            "COMPOSE_PROJECT_NAME": self.name,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TAG": TAG,
            "MNIST_DIR": str(SMALL),
        }

    def compose(self, *arguments: str, seconds: float = 300) -> str:
        """The output of `docker compose ARGUMENTS`; raises AssertionError with it on failure."""
        return self._run(["docker", "compose", *arguments], seconds)

    def run(self, *command: str, seconds: float = 900) -> str:
        """The output of a command that runs on this machine in the project's folder."""
        return self._run(list(command), seconds)

    def _run(self, command: list[str], seconds: float) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=seconds
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """Docker's data of the running and ended containers of a service, or of all."""
        ids = docker("ps", "-aq", *self._filters(service)).split()
        return json.loads(docker("inspect", *ids)) if ids else []

    def left(self) -> dict[str, list[str]]:
        """All containers, networks and volumes of the project."""
        filters = self._filters(None)
        return {
            "containers": docker("ps", "-aq", *filters).split(),
            "networks": docker("network", "ls", "-q", *filters).split(),
            "volumes": docker("volume", "ls", "-q", *filters).split(),
        }

    def _filters(self, service: str | None) -> list[str]:
        labels = [f"com.docker.compose.project={self.name}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        return [word for label in labels for word in ("--filter", f"label={label}")]

    def healthy(self, servers: Iterable[str] = SERVERS) -> bool:
        """Whether all servers are running and healthy."""
        found = {name: self.containers(name) for name in servers}
        return all(found.values()) and all(
            one["State"].get("Health", {}).get("Status") == "healthy"
            for many in found.values()
            for one in many
        )

    def answers(self) -> bool:
        """Whether page and service answer."""
        try:
            urls = (self.page, f"{self.service}/readyz")
            return all(httpx.get(url, timeout=5, trust_env=False).is_success for url in urls)
        except httpx.HTTPError:
            return False

    def model(self) -> str:
        """The model version at the published port."""
        return str(
            httpx.get(f"{self.service}/model", timeout=5, trust_env=False)
            .raise_for_status()
            .json()["version"]
        )


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{arguments}\n{done.stderr[-3000:]}"
    return done.stdout


def gateway() -> str:
    """This machine's address as containers see it."""
    (bridge,) = json.loads(docker("network", "inspect", "bridge"))
    return str(bridge["IPAM"]["Config"][0]["Gateway"])


def wait_until(true: Callable[[], object], seconds: float) -> float:
    """Wait until the check holds and return the seconds; raises AssertionError after a timeout."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{true} is still false after {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - began
