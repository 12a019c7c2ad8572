"""Deadlines: an indexed row with an instant, swept by any number of workers, that asks again whether it still holds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from huangpu.core.db import rows
from huangpu.core.errors import Conflict

from . import acts

BATCH = 200


def passed(now: datetime, limit: int = BATCH) -> list[tuple[UUID, int]]:
    """The commitments whose time has passed and that the house has not looked at: (agreement, ordinal), oldest first."""
    found = rows(
        "SELECT agreement_id, ordinal FROM commerce_commitment"
        " WHERE state = 'due' AND late_at IS NULL AND due_at IS NOT NULL AND due_at <= %s ORDER BY due_at LIMIT %s",
        [now, limit],
    )
    return [(agreement_id, ordinal) for agreement_id, ordinal in found]


def sweep(now: datetime) -> int:
    """Lets the terms decide on every silence, each in a transaction of its own; returns how many were decided.

    Two sweepers at once do no harm: an act is guarded by the agreement's version, and `lapse` asks again.
    """
    decided = 0
    for agreement_id, ordinal in passed(now):
        try:
            decided += acts.lapse(agreement_id=agreement_id, ordinal=ordinal, now=now) is not None
        except Conflict as faster:
            if faster.code not in ("commitment.settled", "agreement.busy", "database.busy"):
                raise
    return decided
