"""What happens for terminals by itself: what was taken back and could not be undone at once."""

from __future__ import annotations

import logging

from huangpu.core import clock
from huangpu.core.jobs import app

from . import taking_back

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="terminals.take_back")
def take_back(timestamp: int) -> None:  # noqa: ARG001
    """Every fifteen seconds."""
    for one in taking_back.left():
        try:
            taking_back.take_back(one, now=clock.now)
        except Exception:  # the others are undone all the same
            log.exception("transaction %s could not be undone", one)
