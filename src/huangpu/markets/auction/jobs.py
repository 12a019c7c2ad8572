"""What happens by itself: the pulse, and the close of auctions whose time is over."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from huangpu.core import clock
from huangpu.core.db import rows
from huangpu.core.errors import Conflict
from huangpu.parties.actor import SYSTEM

from . import acts
from .rules import GRACE

log = logging.getLogger(__name__)

AT_ONCE_MAX = 200


@app.periodic(cron="* * * * * */2")  # the sixth field is the seconds
@app.task(queueing_lock="auction.sweep")
def sweep(timestamp: int) -> None:  # noqa: ARG001
    """Beats the pulse, then marks as closed what is over. It decides nothing: a bid that was in time is answered first."""
    acts.beat(now=clock.now())
    close_due()


def close_due() -> int:
    """Closes the auctions whose time and grace are over; returns how many."""
    closed = 0
    due = rows(
        "SELECT id FROM auction_auction WHERE status = 'open' AND closes_at <= %s ORDER BY closes_at LIMIT %s",
        [clock.now() - GRACE, AT_ONCE_MAX],
    )
    for (auction_id,) in due:
        try:
            acts.close(actor=SYSTEM, auction_id=auction_id, now=clock.now())
        except Conflict as moved:  # a bid of the last moment has moved it: it is not due after all
            log.info("auction %s stays open: %s", auction_id, moved)
            continue
        closed += 1
    return closed
