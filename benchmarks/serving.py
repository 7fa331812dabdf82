"""Load test of the service, of bare Starlette as the upper bound, and of other servers: `make bench-serving`.

Every server runs the same network on the same picture. They take turns, round after round, so that other
load on the machine affects all of them; the table has medians over rounds, and ratios.
Needs `wrk` (Debian: `apt-get install wrk`). LitServe needs an environment of its own
(requirements/bench.txt), whose Python is given with --litserve.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks import serving_ours
from benchmarks.serving_contenders import (
    BENTO,
    ROOT,
    UVICORN,
    Contender,
    as_base64,
    as_form,
    as_pixels,
    service,
)
from benchmarks.serving_load import drawn_seven, load, medians, running
from digits.ink.extraction import ink_map
from digits.network.network_input import network_input

Table = dict[str, dict[int, dict[str, float]]]

LOG_MODEL = """
import sys, keras, mlflow.keras, numpy as np
from mlflow.models import infer_signature
model = keras.models.load_model(sys.argv[1], compile=False)
image = np.zeros((1, 28, 28, 1), np.float32)
signature = infer_signature(image, model.predict(image))
mlflow.keras.save_model(model, sys.argv[2], signature=signature, pip_requirements=["keras", "tensorflow"])
"""


def main() -> int:
    options = _options()
    if shutil.which("wrk") is None:
        raise SystemExit("`wrk` is not installed. Install it (Debian: apt-get install wrk).")
    table = {} if options.only_ours else compare(options)
    ours = serving_ours.measure(options.model, options.port, options.rounds, options.seconds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"contenders": table} | ours, indent=1) + "\n")
    print(f"Written to {options.out}.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "champion", help="model folder")
    parser.add_argument("--keras", type=Path, default=ROOT / "models" / "candidate" / "digits.keras")
    parser.add_argument("--litserve", help="a Python that has LitServe and the libraries of digits")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="per measurement")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=3110, help="the first of ten ports")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "serving.json")
    parser.add_argument("--only-ours", action="store_true", help="skip the comparison")
    options = parser.parse_args()
    options.model, options.keras = options.model.resolve(), options.keras.resolve()
    return options


def compare(options: argparse.Namespace) -> Table:
    """Throughput, latencies and processor time of every contender at 1, 16 and 64 connections."""
    found = contenders(options)
    rounds: dict[str, dict[int, list[dict[str, float]]]] = {one.name: {} for one in found}
    with running(found, options.port):
        for one in found:
            load(one, 4, 1)  # warm up every worker
        for number in range(options.rounds):
            for connections in (1, 16, 64):
                for one in found:
                    measured = load(one, connections, options.seconds)
                    rounds[one.name].setdefault(connections, []).append(measured)
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    table = {name: {at: medians(each) for at, each in by.items()} for name, by in rounds.items()}
    show(table)
    return table


def show(table: Table) -> None:
    """The comparison as a Markdown table, with ratios to the upper bound in brackets."""
    print(
        "| server | answers per second at 1 | at 16 | at 64 connections | p99 at 16, ms "
        "| CPU per request, ms |"
    )
    print("|---|---|---|---|---|---|")
    for name, by in table.items():
        rates = [f"{by[at]['rate']:,.0f} ({by[at]['rate'] / table['limit'][at]['rate']:.2f})" for at in by]
        tail = f"{by[16]['p99']:.1f} ({by[16]['p99'] / table['limit'][16]['p99']:.2f}) | {by[16]['cpu']:.2f}"
        print(f"| {name} | {' | '.join(rates)} | {tail} |")


def contenders(options: argparse.Namespace) -> list[Contender]:
    """All servers whose dependencies are available."""
    seven = drawn_seven()
    form = as_form(seven)
    shared = {"MODEL_DIR": str(options.model), "WORKERS": str(options.workers)}
    shared["KERAS_MODEL"] = str(options.keras)
    many = ["--workers", str(options.workers)]
    apps = "benchmarks.contenders"
    found = [
        Contender("limit", [*UVICORN, *many, f"{apps}.limit:app"], form),
        service(form, options.workers, options.model),
        service(form, 1, options.model),
        Contender("BentoML quickstart", [*BENTO, f"{apps}.quickstart:Quickstart"], form),
        Contender("quickstart, same settings", [*BENTO, f"{apps}.quickstart_tuned:Quickstart"], form),
    ]
    if options.litserve:
        command = [options.litserve, "benchmarks/contenders/lit.py", "{port}"]
        found.append(Contender("LitServe", command, as_base64(seven)))
    if options.keras.exists():
        found.append(Contender("FastAPI + Keras", [*UVICORN, *many, f"{apps}.keras_api:app"], form))
        found.append(mlflow_server(options, seven))
    for contender in found:
        contender.environment = shared | contender.environment
    return found


def mlflow_server(options: argparse.Namespace, seven: bytes) -> Contender:
    """The Keras model as an MLflow model, which is created here and receives the network's input."""
    folder = str(Path(tempfile.mkdtemp(prefix="mlflow-")) / "model")
    subprocess.run([sys.executable, "-W", "ignore", "-c", LOG_MODEL, str(options.keras), folder], check=True)
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", folder, "--env-manager", "local"]
    ports = ["--port", "{port}", "--workers", str(options.workers)]
    with Image.open(BytesIO(seven)) as picture:
        field = network_input(ink_map(picture))
    assert field is not None
    return Contender("mlflow models serve", command + ports, as_pixels(field.tolist()), "/invocations")


if __name__ == "__main__":
    sys.exit(main())
