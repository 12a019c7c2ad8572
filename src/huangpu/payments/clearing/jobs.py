"""What happens for clearing by itself: operations come into the open window, and a window whose time is over is closed."""

from __future__ import annotations

from uuid import UUID

from huangpu.core import clock
from huangpu.core.db import rows
from huangpu.core.jobs import app
from huangpu.parties.actor import SYSTEM
from huangpu.payments.checkout.rules import WALLET

from . import acts
from .models import Window

ACTIVE = """
SELECT DISTINCT marketplace_id, currency FROM operations_operation
WHERE state = 'succeeded' AND provider <> %s AND ended_at >= %s - interval '1 day'
UNION SELECT marketplace_id, currency FROM clearing_window WHERE state = 'open'
"""


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="clearing.gather")
def gather(timestamp: int) -> None:  # noqa: ARG001
    """Every minute."""
    run()


def run() -> None:
    """Gathers for every marketplace that has payments, and closes what is over."""
    now = clock.now()
    for marketplace, currency in rows(ACTIVE, [WALLET, now]):
        acts.gather(marketplace_id=UUID(str(marketplace)), currency=currency, now=now)
    for window in Window.objects.filter(state="open", closes_at__lte=now).values_list("pk", flat=True):
        acts.close(actor=SYSTEM, window_id=window, now=now)
