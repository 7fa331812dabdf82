"""Inputs of the simulation: single requests, two processes on two cores, and connections of each worker."""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import time
from contextlib import suppress
from multiprocessing.synchronize import Barrier as BarrierType
from pathlib import Path

import cv2
import psutil

from benchmarks.load_cost import Trees, processor_seconds
from benchmarks.serving_contenders import Payload
from benchmarks.serving_load import drawn_seven
from digits import Reader
from service.pictures.decode import decode

PHASES, PHASE_SECONDS = 40, 0.2  # of `contention`


def _request(payload: Payload, path: str) -> bytes:
    """The bytes of one request, as wrk sends them."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {payload.kind}\r\n"
        f"Content-Length: {len(payload.content)}\r\n\r\n"
    )
    return head.encode() + payload.content


def answer_bytes(port: int, payload: Payload, path: str) -> int:
    """The size of an answer in bytes, including headers."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return len(_exchange(connection, _request(payload, path)))


def latencies(port: int, payload: Payload, count: int, path: str = "/predict") -> list[float]:
    """Latencies of single requests on one connection, one after another, in ms."""
    sent, found = _request(payload, path), []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            began = time.perf_counter()
            _exchange(connection, sent)
            found.append(round(1000 * (time.perf_counter() - began), 3))
    return found


def connecting(port: int, payload: Payload, path: str, trees: Trees, count: int) -> float:
    """Processor time of the service for a request on a new connection, in ms."""
    sent, before = _request(payload, path), processor_seconds(trees["service"])
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            _exchange(connection, sent)
    time.sleep(0.05)  # until the service has noticed that the last connection was closed
    return 1000 * (processor_seconds(trees["service"]) - before) / count


def opening_ms(port: int, count: int) -> float:
    """The time to open one of many connections without waiting for any of them, as wrk does."""
    connections = [socket.socket() for _ in range(count)]
    began = time.perf_counter()
    for connection in connections:
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
    spent = time.perf_counter() - began
    for connection in connections:
        connection.close()
    time.sleep(0.2)  # until the service has noticed
    return 1000 * spent / count


def _exchange(connection: socket.socket, sent: bytes) -> bytes:
    """Send a request and receive the whole answer."""
    connection.sendall(sent)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def connections_of_workers(service: int, port: int) -> list[int]:
    """The number of open connections that each worker has accepted, by process id of the worker.

    `service` is the process id of the service's supervisor.
    """
    counts = []
    for process in psutil.Process(service).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # the process of a health check has just ended
            sockets = [one for one in process.net_connections("tcp") if one.laddr.port == port]
            if any(one.status == psutil.CONN_LISTEN for one in sockets):
                counts.append(sum(one.status == psutil.CONN_ESTABLISHED for one in sockets))
    return counts


def contention(model: Path) -> float:
    """Processor time per drawing while another process reads, relative to that of one process alone.

    The two states alternate quickly, because the speed of a shared machine varies by a half from second to
    second. The result is the median ratio of neighbouring phases.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    with context.Pool(2, _prepare, (barrier, str(model))) as pool:
        always, _ = pool.map(_read_in_phases, (True, False), chunksize=1)
    ratios = [both / alone for alone, both in zip(always[::2], always[1::2], strict=True)]
    return round(statistics.median(ratios), 3)


class _Prepared:
    reader: Reader
    barrier: BarrierType


def _prepare(barrier: BarrierType, model: str) -> None:
    cv2.setNumThreads(1)
    _Prepared.reader, _Prepared.barrier = Reader.load(Path(model)), barrier


def _read_in_phases(always: bool) -> list[float]:
    """Read drawings in each phase, or in each second one; returns the processor time per drawing in ms."""
    picture, found = drawn_seven(), []
    _Prepared.reader.predict(decode(picture))
    for phase in range(PHASES):
        _Prepared.barrier.wait()
        if not always and phase % 2 == 0:
            continue  # the next barrier waits for the other process
        began, spent, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - began < PHASE_SECONDS:
            _Prepared.reader.predict(decode(picture))
            count += 1
        found.append(1000 * (time.process_time() - spent) / count)
    return found
