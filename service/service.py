"""The BentoML service: `bentoml serve service.service:DigitsService`.

BentoML starts, supervises and stops the workers. The methods work in process, `/schema.json` lists them and
BentoML's clients call them. Over HTTP, the application of `service.app` stands in front of BentoML's own and
answers the same paths (docs/decisions/service.md gives the reasons).

The process that starts the workers imports this module too, but only for the configuration and the types.
Modules that read pictures are therefore imported inside the functions that need them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bentoml
from bentoml.exceptions import BentoMLConfigException
from starlette.types import ASGIApp

from addresses.hosts import listed
from addresses.prefix import prefix
from feedback.errors import Unusable
from feedback.store import MIB, Limits, Store
from service.answers import BatchAnswer, ExplainAnswer, PredictAnswer, ReadAnswer
from service.runtime.memory import keep_arenas_small, keep_returning

_PARENT = os.getppid()  # read early, because an orphaned process gets another parent


def _number(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isdigit():
        raise BentoMLConfigException(f"{name} must be a whole number, but is `{value}`.")
    return int(value)


if os.environ.get("LOG_LEVEL", "info").upper() not in logging.getLevelNamesMapping():
    raise BentoMLConfigException(
        f"LOG_LEVEL must be info, warning or error, but is `{os.environ['LOG_LEVEL']}`."
    )


try:
    _ROOT_PATH = prefix("SERVICE_ROOT_PATH")
except ValueError as error:
    raise BentoMLConfigException(str(error)) from None


def _feedback() -> Store | None:
    """The folder FEEDBACK_DIR where corrected pictures are stored, or None if it is not set."""
    usual = Limits()
    limits = Limits(
        _number("FEEDBACK_MOST", usual.most),
        _number("FEEDBACK_MEGABYTES", usual.most_bytes // MIB) * MIB,
        _number("FEEDBACK_FREE_MEGABYTES", usual.free_bytes // MIB) * MIB,
    )
    folder = os.environ.get("FEEDBACK_DIR")
    if not folder:
        return None
    store = Store(Path(folder).absolute(), limits)
    try:
        store.prepare()
    except Unusable as error:
        raise BentoMLConfigException(str(error)) from None
    return store


_FEEDBACK = _feedback()


@bentoml.service(
    name="digits",
    workers=_number("WORKERS", 1),
    http={"host": os.environ.get("HOST", "127.0.0.1"), "port": _number("SERVICE_PORT", 3000)},
    traffic={"timeout": 64},  # seconds; our own limits end after 63 (see `THREAD_SECONDS`)
    metrics={"enabled": False},  # BentoML's would use unknown paths as labels; see `service.runtime.metrics`
    logging={"access": {"enabled": False}},  # see `service.app`
    tracing={"excluded_urls": "."},
)
class DigitsService:
    """Reads handwritten digits.

    Every method raises an exception of `service.errors` if a picture cannot be read.
    """

    def __init__(self) -> None:
        from service.endpoints import images
        from service.pictures.decode import opened
        from service.runtime.traffic import TRAFFIC
        from service.runtime.worker import worker

        self._images = images
        self._opened = opened
        self._champion = worker().champion
        self._traffic = TRAFFIC
        self._tasks: list[asyncio.Task[None]] = []

    @bentoml.api
    def predict(self, image: Path) -> PredictAnswer:
        """Read one digit."""
        return self._images.predict(self._champion.reader(), self._opened(image.read_bytes()))

    @bentoml.api
    def read(self, image: Path) -> ReadAnswer:
        """Read all digits, in reading order."""
        return self._images.read(self._champion.reader(), self._opened(image.read_bytes()))

    @bentoml.api
    def explain(self, image: Path) -> list[ExplainAnswer]:
        """Show what the network saw of every mark, in reading order."""
        return self._images.explain(self._champion.reader(), self._opened(image.read_bytes())).root

    @bentoml.api
    def predict_batch(self, images: list[Path]) -> BatchAnswer:
        """Read one digit in each picture; one that cannot be read is answered with the reason."""
        return self._images.predict_batch(self._champion.reader(), [file.read_bytes() for file in images])

    @bentoml.on_startup
    async def start(self) -> None:
        # For files, metrics, new models and the return of memory. The default pool would grow to four threads
        # more than cores.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2, "files"))
        work = (self._champion.watch(), self._traffic.keep_writing(), keep_returning())
        self._tasks = [asyncio.create_task(one) for one in work]

    @bentoml.on_shutdown
    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._traffic.write)


def _in_front(app: ASGIApp) -> ASGIApp:
    """The application of `service.app` in front of BentoML's `app`.

    BentoML's 110,000 objects live as long as the process. They are frozen first, so that the garbage
    collector does not go through them during the imports below; what the imports add is frozen at the end,
    so that a full collection does not pause requests.
    """
    gc.freeze()
    from service.runtime.lifetime import end_in_time

    if bentoml.server_context.worker_index is not None:  # in a BentoML worker, not in another program
        keep_arenas_small()
        end_in_time(_PARENT)
    from service.app import in_front
    from service.runtime.worker import serving_worker

    env = os.environ.get
    origins = env("CORS_ORIGINS", "").replace(",", " ").split()
    hosts = listed(env("ALLOWED_HOSTS", ""))
    served = in_front(app, serving_worker(), env("API_KEY", ""), origins, hosts, _ROOT_PATH, _FEEDBACK)
    gc.collect()
    gc.freeze()
    return served


DigitsService.add_asgi_middleware(_in_front)  # type: ignore[attr-defined]  # mypy ignores class decorators
