"""What happens to trades by itself: silences are decided when their time has passed."""

from __future__ import annotations

from huangpu.core import clock
from huangpu.core.jobs import app

from . import deadlines


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="process.sweep_deadlines")
def sweep_deadlines(timestamp: int) -> None:  # noqa: ARG001
    """Lets the terms decide on what nobody did in time. Every 15 seconds; a worker that was killed loses nothing."""
    deadlines.sweep(clock.now())
