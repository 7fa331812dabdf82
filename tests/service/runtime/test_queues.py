"""Work waits in bounded queues, and long work does not block the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial

import pytest

from service.errors import Busy
from service.runtime import queues as queues_module
from service.runtime.queues import Queue, Queues


def test_queue_gives_results_and_errors() -> None:
    async def ask() -> None:
        for queue in (Queue("quick", 1), Queues().side, Queues().photos):
            for _ in range(40):  # more than a queue holds: nothing stays in it
                assert await queue.run(lambda: 7) == 7
                with pytest.raises(ZeroDivisionError):
                    await queue.run(lambda: 1 // 0)

    asyncio.run(ask())


@pytest.mark.parametrize("limit", [1, 5])
def test_queue_refuses_at_once_what_is_too_much(limit: int) -> None:
    async def ask() -> list[object]:
        queue = Queue("quick", limit)
        return await asyncio.gather(*(queue.run(lambda: "done") for _ in range(9)), return_exceptions=True)

    results = asyncio.run(ask())
    assert results.count("done") == limit
    assert sum(isinstance(result, Busy) for result in results) == 9 - limit


def test_queue_on_a_thread_leaves_the_loop_free() -> None:
    async def ask() -> int:
        work = asyncio.create_task(Queues().side.run(lambda: time.sleep(0.3)))
        turns = 0
        while not work.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(ask()) > 5


def test_photos_have_a_thread_of_their_own() -> None:
    async def ask() -> set[str]:
        queues = Queues()
        waiting = threading.Event()
        photo = asyncio.create_task(
            queues.photos.run(lambda: (waiting.wait(5), threading.current_thread().name)[1])
        )
        side = await queues.side.run(lambda: threading.current_thread().name)
        waiting.set()
        return {side, await photo}

    assert len(asyncio.run(ask())) == 2


def test_a_client_that_leaves_gives_up_its_place() -> None:
    """On the loop immediately; on a thread when the started work is done."""

    async def ask() -> list[object]:
        quick = Queue("quick", 3)
        asked = [asyncio.create_task(quick.run(partial(int, number))) for number in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        answers: list[object] = [*await asyncio.gather(*asked, return_exceptions=True)]

        side, begun, end = Queues().side, threading.Event(), threading.Event()

        def work() -> bool:
            begun.set()
            return end.wait(5)

        job = asyncio.create_task(side.run(work))
        await asyncio.to_thread(begun.wait, 5)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        answers.append(side._waiting)
        end.set()
        answers.append(await side.run(lambda: "after it"))
        await asyncio.sleep(0.01)
        return [*answers, side._waiting, await quick.run(lambda: "free")]

    first, left, *rest = asyncio.run(ask())
    assert (first, rest) == (0, [2, 1, "after it", 0, "free"])
    assert isinstance(left, asyncio.CancelledError)


def test_work_that_a_thread_has_no_time_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues_module, "THREAD_SECONDS", 0.1)

    async def ask() -> None:
        side = Queues().side
        with pytest.raises(Busy):
            await side.run(lambda: time.sleep(0.3))

    asyncio.run(ask())
