"""What a terminal has taken back is undone at the acquirer: cancelled while it is under way, paid back once it was done.
Outside of transactions, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from huangpu.payments.operations import asking
from huangpu.payments.operations.rules import FINAL

from . import acts
from .models import Transaction

LEFT = """
SELECT t.id FROM terminals_transaction t JOIN operations_operation o ON o.id = t.operation_id
LEFT JOIN operations_operation u ON u.id = t.undo_id
WHERE t.reversed_at IS NOT NULL AND (o.state NOT IN ('succeeded', 'declined')
  OR (o.state = 'succeeded' AND (t.undo_id IS NULL OR u.state NOT IN ('succeeded', 'declined'))))
ORDER BY t.reversed_at LIMIT %s
"""


def take_back(transaction_id: UUID, *, now: Callable[[], datetime]) -> bool:
    """Undoes as far as it can be now; returns whether nothing is left to undo."""
    taken = Transaction.objects.select_related("operation").get(pk=transaction_id)
    if taken.operation_id is None or taken.operation is None:
        return True
    state = asking.attempt(taken.operation_id, now=now())
    if state not in FINAL:
        return False
    if state == "declined":
        return True
    undo = acts.undo(transaction_id=transaction_id, now=now())
    return undo is None or asking.attempt(undo, now=now()) == "succeeded"


def left(limit: int = 100) -> list[UUID]:
    """What was taken back and is not undone yet."""
    from huangpu.core.db import rows

    return [id for (id,) in rows(LEFT, [limit])]
