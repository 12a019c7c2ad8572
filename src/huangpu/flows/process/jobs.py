"""What happens to trades by itself: silences are decided when their time has passed, and people are told."""

from __future__ import annotations

from huangpu.core import clock
from huangpu.core.jobs import app

from . import deadlines, notices


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="process.sweep_deadlines")
def sweep_deadlines(timestamp: int) -> None:  # noqa: ARG001
    """Lets the terms decide on what nobody did in time. Every 15 seconds; a worker that was killed loses nothing."""
    deadlines.sweep(clock.now())


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="process.tell_of_trades", lock="process.tell_of_trades")
def tell_of_trades(timestamp: int) -> None:  # noqa: ARG001
    """Tells the members of the parties what happened in their trades. Every five seconds; run twice it tells nothing twice."""
    notices.catch_up()
