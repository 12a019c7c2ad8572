"""What happens by itself: the board reads on in the log, every five seconds."""

from __future__ import annotations

from huangpu.core.jobs import app

from . import acts


@app.periodic(cron="* * * * * */5")  # the sixth field is the seconds
@app.task(queueing_lock="board.count", lock="board.count")
def count(timestamp: int) -> None:  # noqa: ARG001
    """Counts what is new in every marketplace's log. Run twice it counts nothing twice: its place moves with its figures."""
    acts.catch_up()
