"""What happens to money by itself: holds whose time has come are freed."""

from __future__ import annotations

from huangpu.core import clock
from huangpu.core.jobs import app

from . import acts

BATCHES_MAX = 50


@app.periodic(cron="* * * * * 20")
@app.task(queueing_lock="funds.expire_holds")
def expire_holds(timestamp: int) -> None:  # noqa: ARG001
    """Once a minute, batch by batch, each in a transaction of its own. Nothing depends on its being on time: a hold past
    its instant can no longer be captured, swept or not."""
    now = clock.now()
    for _ in range(BATCHES_MAX):
        if acts.expire_holds(now=now) < acts.EXPIRE_BATCH:
            break
