"""The pulse: once a second this process says that the house is up, so that an outage can be measured and credited."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from django.db import Error, connections

from huangpu.core import clock
from huangpu.markets.auction import acts

log = logging.getLogger(__name__)

BEAT_S = 1.0


class Pulse:
    """Beats in a thread of its own: Django's connection is not for the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pulse")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """To be called in the loop that serves."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """No beat after this."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            await asyncio.get_running_loop().run_in_executor(self._thread, beat)
            await asyncio.sleep(BEAT_S)


def beat() -> None:
    """One beat. A database that is away is no beat: that is how an outage is known."""
    try:
        credited = acts.beat(now=clock.now())
    except Error as away:
        log.warning("no beat: %s", away)
        connections.close_all()
        return
    if credited:
        log.warning("an outage was credited to %s auctions", credited)
