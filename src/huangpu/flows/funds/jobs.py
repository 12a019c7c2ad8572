"""What happens to money by itself: holds whose time has come are freed, days that are over are closed."""

from __future__ import annotations

import logging
from datetime import datetime

from huangpu.core import clock
from huangpu.core.errors import Conflict
from huangpu.core.jobs import app
from huangpu.parties.actor import SYSTEM

from . import acts, days
from .models import Account

log = logging.getLogger(__name__)

BATCHES_MAX = 50
DAYS_MAX = 400  # of a marketplace in one run; the next run goes on


@app.periodic(cron="* * * * * 20")
@app.task(queueing_lock="funds.expire_holds")
def expire_holds(timestamp: int) -> None:  # noqa: ARG001
    """Once a minute, batch by batch, each in a transaction of its own. Nothing depends on its being on time: a hold past
    its instant can no longer be captured, swept or not."""
    now = clock.now()
    for _ in range(BATCHES_MAX):
        if acts.expire_holds(now=now) < acts.EXPIRE_BATCH:
            break


@app.periodic(cron="7,27,47 * * * *")
@app.task(queueing_lock="funds.close_days")
def close_days(timestamp: int) -> None:  # noqa: ARG001
    """Three times an hour, since marketplaces count their days in zones of their own."""
    close_due(clock.now())


def close_due(now: datetime) -> int:
    """Closes the days of all marketplaces that are over, each in a transaction of its own; returns how many. What cannot be
    closed yet waits for the next run."""
    closed = 0
    for marketplace in Account.objects.order_by("marketplace_id").values_list("marketplace_id", flat=True).distinct():
        try:
            for day in days.due(marketplace, now)[:DAYS_MAX]:
                days.close_day(actor=SYSTEM, marketplace_id=marketplace, day=day, now=now)
                closed += 1
        except Conflict as wait:
            log.warning("the ledger of %s: %s", marketplace, wait)
    return closed
