"""What happens by itself: money that nobody accepted goes back."""

from __future__ import annotations

from huangpu.core import clock
from huangpu.core.jobs import app

from . import acts
from .models import Sending


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="wallets.expire")
def expire(timestamp: int) -> None:  # noqa: ARG001
    """Every minute."""
    now = clock.now()
    for one in Sending.objects.filter(state="waiting", expires_at__lte=now).values_list("pk", flat=True):
        acts.expire(sending_id=one, now=now)
