"""What happens to payments by itself: operations without an end are asked for again."""

from __future__ import annotations

from uuid import UUID

from huangpu.core import clock
from huangpu.core.jobs import app, enqueue

from . import asking, disputes, notifications


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="operations.ask_due")
def ask_due(timestamp: int) -> None:  # noqa: ARG001
    """Every five seconds; each operation at its own growing intervals."""
    asking.ask_due(now=clock.now())


@app.task
def attempt(operation_id: str) -> None:
    """Asks the provider of an operation now, not only when its time comes."""
    asking.attempt(UUID(operation_id), now=clock.now())


def send_soon(operation_id: UUID) -> None:
    """Has what was just asked for sent as soon as the caller's transaction is committed."""
    enqueue(attempt, operation_id=str(operation_id))


@app.task
def take_notification(notification_id: str) -> None:
    """Takes in what a provider told by itself."""
    notifications.take(notification_id=UUID(notification_id), now=clock.now())


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="operations.collect_owed")
def collect_owed(timestamp: int) -> None:  # noqa: ARG001
    """Every five minutes, from those who owe what a dispute took and their wallet had not."""
    for market, payee, currency in disputes.owing():
        disputes.collect_owed(marketplace_id=market, payee_id=payee, currency=currency)


@app.periodic(cron="*/1 * * * *")
@app.task(queueing_lock="operations.take_notifications")
def take_notifications(timestamp: int) -> None:  # noqa: ARG001
    """Every minute, what was received and not taken in."""
    for one in notifications.left_over():
        notifications.take(notification_id=one, now=clock.now())
