"""What time does to tenders by itself: opening the bids, taking an auction's result, concluding after the standstill.

A deadline is an indexed row with an instant. The sweep takes one due tender after another, skips what somebody else is
working on, and asks again through the act itself whether it still holds; so it may run in any number of workers.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app

from huangpu.core import clock
from huangpu.core.db import execute, row
from huangpu.core.errors import HuangpuError
from huangpu.parties.actor import SYSTEM

from . import acts
from .acts.auctioning import look_again
from .acts.common import tell
from .models import Complaint, Tender

log = logging.getLogger(__name__)

DUE = """
SELECT id FROM tender_tender WHERE next_deadline_at <= %s
ORDER BY next_deadline_at FOR NO KEY UPDATE SKIP LOCKED LIMIT 1
"""
AGAIN = timedelta(minutes=5)  # when what was due could not be done, such as with a lost key
SWEEP_MAX = 200


@app.periodic(cron="* * * * * */2")  # the sixth field is the seconds
@app.task(queueing_lock="tender.run_deadlines")
def run_deadlines(timestamp: int) -> None:  # noqa: ARG001
    """Does what is due."""
    sweep(clock.now())


def sweep(now: datetime) -> int:
    """Does what is due at `now`, each tender in a transaction of its own; returns how many."""
    for done in range(SWEEP_MAX):
        with transaction.atomic():
            found = row(DUE, [now])
            if found is None:
                return done
            try:
                run(found[0], now)
            except HuangpuError as error:
                log.exception("tender %s: what is due could not be done (%s)", found[0], error.code)
                _postpone(found[0], error, now)
    return SWEEP_MAX


def _postpone(tender_id: UUID, error: HuangpuError, now: datetime) -> None:
    """What cannot be done now is tried again later; the buyer learns why nothing happens."""
    execute("UPDATE tender_tender SET next_deadline_at = %s WHERE id = %s", [now + AGAIN, tender_id])
    tender = Tender.objects.get(pk=tender_id)
    if error.code == "tender.key_missing":
        tell(tender, "tender.opening_failed", (tender.buyer_id,), now)


def run(tender_id: UUID, now: datetime) -> None:
    """What a tender's deadline means at its stage. A complaint holds the conclusion up; its decision sets it going."""
    tender = Tender.objects.get(pk=tender_id)
    if tender.stage == "open":
        acts.open_bids(actor=SYSTEM, tender_id=tender.id, now=now)
    elif tender.stage == "standstill" and not Complaint.objects.filter(tender=tender, upheld=None).exists():
        acts.conclude(actor=SYSTEM, tender_id=tender.id, now=now)
    elif tender.stage == "auction" and look_again(tender, now) is None:
        acts.take_auction_result(actor=SYSTEM, tender_id=tender.id, now=now)
    else:
        tender.next_deadline_at = look_again(tender, now) if tender.stage == "auction" else None
        tender.save(update_fields=["next_deadline_at"])
