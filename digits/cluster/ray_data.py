"""Reads parts with Ray Data: the connection to the cluster, and the tasks that run on its machines.

Ray comes with the extra `digits[cluster]`, and only this module imports it. Parts are read by tasks and not
by actors, because an actor whose machine is lost keeps its parts until there is room to restart it, whereas a
task is moved to any other machine.
"""

# See docs/decisions/cluster.md.
from __future__ import annotations

import logging
import os
import pickle
import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import cv2
import ray
import ray.data

import digits
from digits.cluster.answers import Counts, Shape
from digits.cluster.isolated import IsolatedReader
from digits.cluster.model_files import ModelFiles
from digits.cluster.parts import Part
from digits.cluster.places import Folder
from digits.cluster.reading import Read, read_bytes, read_part
from digits.errors import ClusterError, DigitsError

_SECONDS = 5.0  # timeout for connecting to a cluster
_FORWARDED = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION")  # not secret


@contextmanager
def connected(address: str) -> Iterator[int]:
    """Connect to the cluster at an address and yield the number of its cores.

    "local" starts a new cluster; "auto" uses this machine's cluster, or starts one if there is none. Raises
    `ClusterError` if the connection fails.
    """
    variables = {name: os.environ[name] for name in _FORWARDED if name in os.environ}
    try:
        ray.init(
            address=None if address == "auto" else address,
            include_dashboard=False if address == "local" else None,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"py_modules": [digits], "env_vars": variables},
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ClusterError(f"The cluster at {address} cannot be used ({_reason(error)}).") from error
    try:
        nodes: list[dict[str, Any]] = ray.nodes()
        yield sum(int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"])
    finally:
        ray.shutdown()


def _reason(error: Exception) -> str:
    """The first line of Ray's message, which may be pages long."""
    if "auth" in str(error).lower():
        return "it needs a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the token of its head"
    return str(error).strip().partition("\n")[0]


def check_address(address: str) -> None:
    """Raise `ClusterError` if nothing answers at an address, because Ray itself would try for a minute."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError(
            f"{address} is not the address of a cluster. Give auto, local, or the HOST:PORT that "
            "`ray start --head` prints on a machine of the cluster."
        )
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"There is no cluster at {address} ({error}).") from error


def answered(parts: Sequence[Part], model: ModelFiles, folder: Folder, shape: Shape) -> Iterator[Counts]:
    """Read parts on the connected cluster, and yield the counts of each part when it has been written.

    Raises `DigitsError` if answers cannot be written.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    packed = [{"part": zlib.compress(pickle.dumps(part))} for part in parts]
    answer = partial(_answer, model=ray.put(model), folder=folder, shape=shape)
    read = ray.data.from_items(packed, override_num_blocks=len(packed)).map(answer, num_cpus=1)
    try:
        for row in read.iter_rows():
            yield Counts(row["files"], row["errors"])
    except ray.exceptions.RayTaskError as error:
        why = str(error.cause).strip().splitlines()
        raise DigitsError(f"The answers cannot be written ({why[-1] if why else error.cause!r}).") from error


def _answer(
    row: dict[str, Any], model: ray.ObjectRef[ModelFiles], folder: Folder, shape: Shape
) -> dict[str, int]:
    part = pickle.loads(zlib.decompress(row["part"]))
    return read_part(part, _read(model), partial(_isolated, model), folder, shape)._asdict()


@cache
def _read(model: ray.ObjectRef[ModelFiles]) -> Read:
    """The reading function of this process. Ray keeps one process for each core, which reads many parts."""
    return _loaded(ray.get(model))


@cache
def _isolated(model: ray.ObjectRef[ModelFiles]) -> Read:
    return IsolatedReader(partial(_loaded, ray.get(model)))


def _loaded(model: ModelFiles) -> Read:
    cv2.setNumThreads(1)  # there is a process for every core
    return partial(read_bytes, model.reader())
