"""Starts service and page together, says where they are, and stops both on Ctrl-C.

python launch.py [service] [page] [mlflow]    start these (default: service and page)
python launch.py --train                      and once they are ready, train a model (TRAIN=0: do not)
python launch.py --check [NAME ...]           only say whether their ports are free
"""

# Why it is so: docs/decisions/first-minute.md
from __future__ import annotations

import argparse
import importlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import honcho.manager
import psutil

HERE = Path(__file__).resolve().parent
HOST = os.environ.get("HOST", "127.0.0.1")
SLOW_SECONDS = 60  # service and page usually take about ten
FEEDBACK = HERE / "data" / "feedback"  # where `make run` keeps the pictures that people correct
STOP_SECONDS = 25  # longer than the service takes to finish what is in flight, and a training to end its run
PAUSE_SECONDS = 5  # before a follower that ended is started again
YIELDING = 10  # niceness of the training: whoever draws goes first

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "pipeline" / "registry" / "plugin")]),
}


@dataclass(frozen=True)
class Program:
    """A program that listens: its port, the variable that moves it, and how it says it is ready."""

    title: str
    variable: str
    default_port: int
    ready_path: str
    arguments: tuple[str, ...]

    @property
    def port(self) -> int:
        """The port from the environment; ends the program where that is no port."""
        value = os.environ.get(self.variable, "") or str(self.default_port)
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise SystemExit(f"{self.variable}={value} is no port: choose a number from 1 to 65535.")
        return int(value)

    @property
    def command(self) -> str:
        """The shell command, with this Python and the port filled in."""
        filled = [
            part.format(host=HOST, port=self.port, here=HERE, project=HERE.as_uri())
            for part in self.arguments
        ]
        return shlex.join([sys.executable, "-m", *filled])


PROGRAMS = {
    "service": Program(
        "Service",
        "SERVICE_PORT",
        3000,
        "/readyz",
        (
            *("bentoml", "serve", "service.service:DigitsService", "--host", "{host}", "--port", "{port}"),
            *("--timeout-graceful-shutdown", "8"),  # seconds, for requests that have begun
        ),
    ),
    "page": Program("Page", "PAGE_PORT", 7860, "/", ("ui.page",)),
    "mlflow": Program(
        "MLflow",
        "MLFLOW_PORT",
        5000,
        "/health",
        (
            "mlflow",
            "server",
            "--backend-store-uri",
            "sqlite:///{here}/mlruns/mlflow.db",
            "--default-artifact-root",
            "{project}/mlruns/artifacts",  # an address: containers find such ones under their own path
            "--artifacts-destination",
            "{here}/mlruns/artifacts",
            "--app-name",
            "digits",  # pipeline/registry/served_addresses.py
            "--host",
            "{host}",
            "--port",
            "{port}",
            "--workers",
            "1",
        ),
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", type=known, metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--check", action="store_true", help="only say whether the ports are free")
    parser.add_argument("--train", action="store_true", help="train a model beside them, once they are ready")
    parser.add_argument("--announce", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs = {name: PROGRAMS[name] for name in options.names or ["service", "page"]}
    training = options.train and os.environ.get("TRAIN", "1") != "0" and not os.environ.get("MODEL_DIR")
    if options.announce:
        return announce(programs, training)
    if options.train and os.environ.get("MODEL_DIR"):
        print("MODEL_DIR is set: its model is served, and none is trained.", flush=True)
    for program in programs.values():
        require_free(program)
    if "service" in programs:
        require_model()
        settle_feedback(options.train)
    return 0 if options.check else run(programs, training)


def known(name: str) -> str:
    """A program's name as it was given; argparse reports any other."""
    if name not in PROGRAMS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PROGRAMS)}")
    return name


def require_free(program: Program) -> None:
    """End the program with what to do where a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, program.port))
        except OSError as error:
            raise SystemExit(
                f"Port {program.port} is already in use, or not to be had on {HOST} ({error.strerror}): "
                f"stop {listener(program.port)}, or set {program.variable} to another port."
            ) from None


def listener(port: int) -> str:
    """What listens on a port, and how to stop it, where the system tells; some tell only an administrator."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f"what uses it with `kill {connection.pid}` ({command[:80]})"
    return "what uses it"


def require_model() -> None:
    """End the program where a person names a model folder that holds no model.

    The folder in which a champion will appear may still be empty: the default model answers until then.
    """
    named = os.environ.get("MODEL_DIR", "")
    folder = Path(named).resolve()
    if not named:
        return
    os.environ["MODEL_DIR"] = str(folder)  # the service starts in the project's folder
    if folder != HERE / "models" / "champion" and not (folder / "manifest.json").is_file():
        raise SystemExit(
            f"MODEL_DIR={named} holds no model: a model folder has a manifest.json and the ONNX file that it"
            " names. `python -m pipeline.export MODEL.keras FOLDER` makes one. Without MODEL_DIR the champion"
            " is served."
        )


def settle_feedback(kept: bool) -> None:
    """Settle where the service keeps corrected pictures: as FEEDBACK_DIR says, else in `FEEDBACK`.

    `kept`: whether they are kept at all where FEEDBACK_DIR is not set; where it is empty they are not.
    """
    named = os.environ.get("FEEDBACK_DIR", str(FEEDBACK) if kept else "")
    os.environ["FEEDBACK_DIR"] = str(Path(named).resolve()) if named else ""  # the service starts in HERE


def run(programs: dict[str, Program], training: bool) -> int:
    """Run the programs until one ends or Ctrl-C; 0 where a person ended them."""
    honcho.manager.KILL_WAIT = STOP_SECONDS
    manager = honcho.manager.Manager()
    service_url = os.environ.get("SERVICE_URL") or f"http://{reachable()}:{PROGRAMS['service'].port}"
    # Two services with one home would delete each other's metrics.
    home = HERE / "build" / f"bentoml-{PROGRAMS['service'].port}"
    traffic = HERE / "data" / "traffic" / str(PROGRAMS["service"].port)
    defaults = {"LOG_LEVEL": "warning", "BENTOML_HOME": str(home), "TRAFFIC_DIR": str(traffic)}
    environment = {**defaults, **os.environ, **QUIET, "HOST": HOST, "SERVICE_URL": service_url}
    for name, program in programs.items():
        port = {program.variable: str(program.port)}
        manager.add_process(name, program.command, env=environment | port, cwd=str(HERE))
    if "service" in programs:
        home.mkdir(parents=True, exist_ok=True)
    announce_too = ["--announce", *(["--train"] if training else [])]
    announcer = shlex.join([sys.executable, str(HERE / "launch.py"), *programs, *announce_too])
    manager.add_process("digits", announcer, env=environment, cwd=str(HERE))
    manager.loop()
    asked_to_stop = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return 0 if asked_to_stop else int(manager.returncode or 1)


def announce(programs: dict[str, Program], training: bool) -> int:
    """Say where all are once they are ready, train if asked to, and stay: honcho ends all when one ends.

    Beside a service the registry is followed, from when the packages for that are there.
    """
    began = time.monotonic()
    waiting = dict(programs)
    slow = time.monotonic() + SLOW_SECONDS
    while waiting:
        waiting = {name: program for name, program in waiting.items() if not is_ready(program)}
        if waiting and time.monotonic() > slow:
            titles = ", ".join(program.title for program in waiting.values())
            print(f"Still not ready after {SLOW_SECONDS} s: {titles}. The lines above may say why.")
            slow = float("inf")
        time.sleep(0.2)
    for name, program in programs.items():
        told = feedback_told() if name == "service" else ""
        print(f"{program.title:8} http://{shown_host()}:{program.port}{told}")
    if "page" in programs:
        print(f"Draw now: http://{shown_host()}:{programs['page'].port}")
    print(f"Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops everything.")
    follower = follow() if "service" in programs else None
    if training:
        train()
    while "service" in programs and (follower := follower or follow()):
        follower.wait()
        print(f"The follower of the registry has ended ({follower.returncode}); it is started again.")
        follower = None
        time.sleep(PAUSE_SECONDS)
    while True:
        signal.pause()


def feedback_told() -> str:
    """What the service's line says of FEEDBACK_DIR."""
    folder = os.environ.get("FEEDBACK_DIR", "")
    if not folder:
        return ""
    shown = Path(folder).relative_to(HERE) if Path(folder).is_relative_to(HERE) else folder
    return f"  (keeps the pictures that you correct in {shown}; `FEEDBACK_DIR= make run` keeps none)"


def follow() -> subprocess.Popen[bytes] | None:
    """Start what lets the service follow the registry; None where MLflow or the champion is not used."""
    importlib.invalidate_caches()  # `make run` installs MLflow beside the running service
    named = os.environ.get("MODEL_DIR", "")
    if find_spec("mlflow") is None or (named and Path(named) != HERE / "models" / "champion"):
        return None
    return subprocess.Popen([sys.executable, "-m", "pipeline.follow"], cwd=HERE)


def train() -> None:
    """Install what training needs and run the pipeline, at a lower priority; say how that ended."""
    print("Meanwhile the pipeline does what is still to be done; a model of your own takes over by itself.")
    print("Nothing is repeated: after Ctrl-C, the next `make run` goes on.")
    command = ["nice", "-n", str(YIELDING), "make", "--no-print-directory", "-C", str(HERE), "repro"]
    if subprocess.run(command, check=False).returncode:
        print("Installing or training failed, for the reason above. Service and page go on.")
        print("`make repro` tries again.")
    else:
        print("The pipeline is done: the page shows which model answers. `make mlflow` shows the training.")


def is_ready(program: Program) -> bool:
    """Whether the program answers 200. No proxy stands between, whatever the environment says."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{reachable()}:{program.port}{program.ready_path}", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def reachable() -> str:
    """Where this machine itself reaches what listens on HOST."""
    return "127.0.0.1" if HOST == "0.0.0.0" else HOST


def shown_host() -> str:
    """The address another device can use where everything listens, else HOST."""
    if HOST != "0.0.0.0":
        return HOST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the outgoing address
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


if __name__ == "__main__":
    sys.exit(main())
