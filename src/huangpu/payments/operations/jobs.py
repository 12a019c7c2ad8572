"""What happens to payments by itself: operations without an end are asked for again."""

from __future__ import annotations

from huangpu.core import clock
from huangpu.core.jobs import app

from . import asking


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="operations.ask_due")
def ask_due(timestamp: int) -> None:  # noqa: ARG001
    """Every five seconds; each operation at its own growing intervals."""
    asking.ask_due(now=clock.now())
