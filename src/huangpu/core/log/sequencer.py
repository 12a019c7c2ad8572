"""The order of the log: a dense position a marketplace, given below the oldest running transaction.

Why not a serial number at insertion: a transaction that took number 7 may commit after one that took 8, and a reader
who has seen 8 never comes back for 7 (Prozorro's `feed_ordering` tells the story). Here an event gets its position only
when no transaction that could still bring an earlier one is running, so a reader that continues after its last position
misses nothing, ever.

An event that was written after its act had seen another's result comes after it, too: both carry the database clock at
the moment of writing, and an event waits while one that is earlier by the clock still waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from ..db import execute, row, rows

BATCH_MAX = 10_000

PLACE = """
WITH horizon AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest),
held AS (SELECT min(recorded_at) AS since FROM log_pending, horizon WHERE transaction >= oldest),
ready AS MATERIALIZED (
  SELECT event_id, marketplace_id,
         row_number() OVER (PARTITION BY marketplace_id ORDER BY recorded_at, event_id) AS place
  FROM (SELECT p.* FROM log_pending p, horizon, held
        WHERE transaction < oldest AND recorded_at < coalesce(since, 'infinity')
        ORDER BY recorded_at, event_id LIMIT %s) p
),
head AS (
  INSERT INTO log_head (marketplace_id, position) SELECT marketplace_id, count(*) FROM ready GROUP BY 1
  ON CONFLICT (marketplace_id) DO UPDATE SET position = log_head.position + excluded.position
  RETURNING marketplace_id, position
),
gone AS (DELETE FROM log_pending USING ready WHERE log_pending.event_id = ready.event_id)
INSERT INTO log_position (event_id, marketplace_id, position)
SELECT event_id, marketplace_id, head.position - count(*) OVER (PARTITION BY marketplace_id) + place
FROM ready JOIN head USING (marketplace_id)
"""


BEHIND = """
SELECT h.marketplace_id FROM (SELECT marketplace_id FROM log_head UNION SELECT marketplace_id FROM log_pending) h
LEFT JOIN log_cursor c ON c.marketplace_id = h.marketplace_id AND c.subscriber = %(who)s
WHERE EXISTS (SELECT FROM log_pending p
              WHERE p.marketplace_id = h.marketplace_id AND p.recorded_at <= clock_timestamp() - %(since)s)
   OR EXISTS (SELECT FROM log_position p JOIN log_event e ON e.id = p.event_id
              WHERE p.marketplace_id = h.marketplace_id AND p.position = coalesce(c.position, 0) + 1
                AND e.recorded_at <= clock_timestamp() - %(since)s)
"""


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as a subscriber reads it. `payload` is None once it has been erased."""

    position: int
    id: UUID
    marketplace_id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    thread_id: UUID
    actor_id: UUID | None
    organisation_id: UUID | None
    occurred_at: datetime
    audience: tuple[UUID, ...]
    leaf: bytes
    payload: dict[str, Any] | None


def sequence() -> int:
    """Gives positions to the events that can have one now; returns how many. One sequencer at a time, others wait."""
    placed = 0
    while True:
        with transaction.atomic():
            # the lock is a statement of its own: the next one must see what its last holder committed
            execute("LOCK TABLE log_head IN SHARE ROW EXCLUSIVE MODE")
            count = execute(PLACE, [BATCH_MAX])
        placed += count
        if count < BATCH_MAX:
            return placed


def read(marketplace_id: UUID, *, after: int = 0, limit: int = 1000) -> list[Logged]:
    """A marketplace's events with a position above `after`, in order, without a gap. Sequences first, so that an act
    that has been acknowledged is seen by the next reader even when no worker is running."""
    if row("SELECT 1 FROM log_pending WHERE marketplace_id = %s LIMIT 1", [marketplace_id]):
        sequence()
    return placed(marketplace_id, after, limit)


def placed(marketplace_id: UUID, after: int, limit: int) -> list[Logged]:
    """The same, of what has its position already: for who must not write, or is inside a transaction of its own."""
    found = rows(
        "SELECT p.position, e.id, e.marketplace_id, e.kind, e.subject_type, e.subject_id, e.thread_id, e.actor_id,"
        " e.organisation_id, e.occurred_at, e.audience, e.leaf, b.body"
        " FROM log_position p JOIN log_event e ON e.id = p.event_id LEFT JOIN log_payload b ON b.id = p.event_id"
        " WHERE p.marketplace_id = %s AND p.position > %s ORDER BY p.position LIMIT %s",
        [marketplace_id, after, limit],
    )
    return [_logged(values) for values in found]


def behind(subscriber: str, since: timedelta = timedelta()) -> list[UUID]:
    """The marketplaces whose log holds what the named subscriber has not read for so long. One statement."""
    return [id for (id,) in rows(BEHIND, {"who": subscriber, "since": since})]


def consume(
    subscriber: str, marketplace_id: UUID, handle: Callable[[Sequence[Logged]], None], *, limit: int = 1000
) -> int:
    """Reads on from where the named subscriber stands and moves it in the same transaction as what `handle` writes.

    Two workers never handle the same subscriber at once: the second returns 0. Returns how many events were handled.
    """
    execute(
        "INSERT INTO log_cursor (subscriber, marketplace_id, position) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
        [subscriber, marketplace_id],
    )
    sequence()
    with transaction.atomic():
        at = row(
            "SELECT position FROM log_cursor WHERE subscriber = %s AND marketplace_id = %s FOR UPDATE SKIP LOCKED",
            [subscriber, marketplace_id],
        )
        if at is None:
            return 0
        events = placed(marketplace_id, at[0], limit)
        if not events:
            return 0
        handle(events)
        execute(
            "UPDATE log_cursor SET position = %s WHERE subscriber = %s AND marketplace_id = %s",
            [events[-1].position, subscriber, marketplace_id],
        )
    return len(events)


def _logged(values: tuple[Any, ...]) -> Logged:
    body = values[12]
    return Logged(
        position=values[0], id=values[1], marketplace_id=values[2], kind=values[3], subject_type=values[4],
        subject_id=values[5], thread_id=values[6], actor_id=values[7], organisation_id=values[8], occurred_at=values[9],
        audience=tuple(values[10]), leaf=bytes(values[11]),
        payload=json.loads(body) if isinstance(body, str) else body,  # Django leaves jsonb of plain SQL as text
    )  # fmt: skip
