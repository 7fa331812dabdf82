"""Start the service and the page, print their addresses, and stop both on Ctrl-C.

python launch.py [service] [page] [mlflow]    start the named programs (default: service and page)
python launch.py --train                      also train a model once they are ready (TRAIN=0: do not train)
python launch.py --check [NAME ...]           only check that their ports are free
"""

# See docs/decisions/first-minute.md.
from __future__ import annotations

import argparse
import errno
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
FEEDBACK = HERE / "data" / "feedback"  # where `make run` stores the pictures that people correct
STOP_SECONDS = 25  # enough for the service to finish requests in flight, and for a training to close its run
PAUSE_SECONDS = 5  # before the follower is restarted
YIELDING = 10  # niceness of the training, so that it does not slow down the service

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "pipeline" / "registry" / "plugin")]),
}


@dataclass(frozen=True)
class Program:
    """A server: its default port, the environment variable for another port, and its readiness path."""

    title: str
    variable: str
    default_port: int
    ready_path: str
    arguments: tuple[str, ...]

    @property
    def port(self) -> int:
        """The port from the environment; exits with a message if it is not valid."""
        value = os.environ.get(self.variable, "") or str(self.default_port)
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise SystemExit(f"{self.variable}={value} is not a port. Choose a number from 1 to 65535.")
        return int(value)

    @property
    def command(self) -> str:
        """The shell command with this Python and the port."""
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
            *("--timeout-graceful-shutdown", "8"),  # seconds for requests in flight
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
            "{project}/mlruns/artifacts",  # a URI, which containers map to their own path
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
    parser.add_argument("--check", action="store_true", help="only check that the ports are free")
    parser.add_argument("--train", action="store_true", help="train a model once the programs are ready")
    parser.add_argument("--announce", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs = {name: PROGRAMS[name] for name in options.names or ["service", "page"]}
    training = options.train and os.environ.get("TRAIN", "1") != "0" and not os.environ.get("MODEL_DIR")
    if options.announce:
        return announce(programs, training)
    if options.train and os.environ.get("MODEL_DIR"):
        print("MODEL_DIR is set, so its model is served and no model is trained.", flush=True)
    for program in programs.values():
        require_free(program)
    if "service" in programs:
        require_model()
        set_feedback_folder(options.train)
    return 0 if options.check else run(programs, training)


def known(name: str) -> str:
    """Return a known program's name; argparse reports other names."""
    if name not in PROGRAMS:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(PROGRAMS)}")
    return name


def require_free(program: Program) -> None:
    """Exit with advice if a program's port is not available."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, program.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                problem, advice = "is already in use", f"Stop {listener(program.port)}, or set"
            else:
                problem, advice = f"is not available on {HOST} ({error.strerror})", "Check HOST, or set"
            raise SystemExit(
                f"Port {program.port} {problem}. {advice} {program.variable} to another port."
            ) from None


def listener(port: int) -> str:
    """Describe the program that listens on a port and how to stop it, if the system shows it to this user."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f"the program that uses it with `kill {connection.pid}` ({command[:80]})"
    return "the program that uses it"


def require_model() -> None:
    """Exit with a message if MODEL_DIR names a folder without a model.

    The champion's folder may still be empty, because the default model is served until there is a champion.
    """
    named = os.environ.get("MODEL_DIR", "")
    folder = Path(named).resolve()
    if not named:
        return
    os.environ["MODEL_DIR"] = str(folder)  # the service starts in the project's folder
    if folder != HERE / "models" / "champion" and not (folder / "manifest.json").is_file():
        raise SystemExit(
            f"MODEL_DIR={named} does not contain a model. A model folder has a manifest.json and the ONNX"
            " file that it names. Make one with `python -m pipeline.export MODEL.keras FOLDER`, or unset"
            " MODEL_DIR to serve the champion."
        )


def set_feedback_folder(kept: bool) -> None:
    """Set FEEDBACK_DIR for the service, which stores corrected pictures there, to an absolute path.

    An empty FEEDBACK_DIR means that none are stored. If it is not set, `kept` decides whether `FEEDBACK` is
    used.
    """
    named = os.environ.get("FEEDBACK_DIR", str(FEEDBACK) if kept else "")
    os.environ["FEEDBACK_DIR"] = str(Path(named).resolve()) if named else ""  # the service starts in HERE


def run(programs: dict[str, Program], training: bool) -> int:
    """Run the programs until one of them exits or Ctrl-C; returns 0 if they were stopped on request."""
    honcho.manager.KILL_WAIT = STOP_SECONDS
    manager = honcho.manager.Manager()
    service_url = os.environ.get("SERVICE_URL") or f"http://{reachable()}:{PROGRAMS['service'].port}"
    # Two services with the same BENTOML_HOME would delete each other's metrics.
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
    """Print the addresses once all programs are ready, then train if requested.

    If the service runs and MLflow is installed, also run the registry follower, at the latest after the
    training that installs MLflow. This function never returns, because honcho stops all processes when one
    of them exits.
    """
    began = time.monotonic()
    waiting = dict(programs)
    slow = time.monotonic() + SLOW_SECONDS
    while waiting:
        waiting = {name: program for name, program in waiting.items() if not is_ready(program)}
        if waiting and time.monotonic() > slow:
            titles = ", ".join(program.title for program in waiting.values())
            print(f"Not ready after {SLOW_SECONDS} s: {titles}. The log above may have the reason.")
            slow = float("inf")
        time.sleep(0.2)
    for name, program in programs.items():
        note = feedback_note() if name == "service" else ""
        print(f"{program.title:8} http://{shown_host()}:{program.port}{note}")
    if "page" in programs:
        print(f"Draw now: http://{shown_host()}:{programs['page'].port}")
    print(f"Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops everything.")
    follower = follow() if "service" in programs else None
    if training:
        train()
    while "service" in programs and (follower := follower or follow()):
        follower.wait()
        print(f"The registry follower exited with status {follower.returncode} and will be restarted.")
        follower = None
        time.sleep(PAUSE_SECONDS)
    while True:
        signal.pause()


def feedback_note() -> str:
    """Return a note on FEEDBACK_DIR for the service's line."""
    folder = os.environ.get("FEEDBACK_DIR", "")
    if not folder:
        return ""
    shown = Path(folder).relative_to(HERE) if Path(folder).is_relative_to(HERE) else folder
    return f"  (stores the pictures that you correct in {shown}; `FEEDBACK_DIR= make run` stores none)"


def follow() -> subprocess.Popen[bytes] | None:
    """Start the registry follower; None if MLflow is not installed or another model folder is served."""
    importlib.invalidate_caches()  # `make run` installs MLflow while the service runs
    named = os.environ.get("MODEL_DIR", "")
    if find_spec("mlflow") is None or (named and Path(named) != HERE / "models" / "champion"):
        return None
    return subprocess.Popen([sys.executable, "-m", "pipeline.follow"], cwd=HERE)


def train() -> None:
    """Install the packages for training and run the pipeline at a lower priority; print the result."""
    print(
        "The remaining pipeline stages run in the background. Your own model then takes over automatically."
    )
    print("You can stop at any time with Ctrl-C. The next `make run` resumes and repeats nothing.")
    command = ["nice", "-n", str(YIELDING), "make", "--no-print-directory", "-C", str(HERE), "repro"]
    if subprocess.run(command, check=False).returncode:
        print("Installation or training failed (see above). The service and the page keep running.")
        print("Run `make repro` to try again.")
    else:
        print("The pipeline has finished. The page shows the model in service; `make mlflow` shows the run.")


def is_ready(program: Program) -> bool:
    """Whether the program responds with success. Proxy settings in the environment are ignored."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{reachable()}:{program.port}{program.ready_path}", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def reachable() -> str:
    """Return the host name with which this machine reaches a server that listens on HOST."""
    return "127.0.0.1" if HOST == "0.0.0.0" else HOST


def shown_host() -> str:
    """Return this machine's LAN address if HOST is 0.0.0.0, otherwise HOST."""
    if HOST != "0.0.0.0":
        return HOST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing, but selects the outgoing address
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


if __name__ == "__main__":
    sys.exit(main())
