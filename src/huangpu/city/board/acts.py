"""Counting: the subscriber "board" of the log, and counting anew.

A batch of events, what it adds and the subscriber's new place are one transaction: whatever dies in the middle has added
nothing, and what is counted is never read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from huangpu.core.db import act, execute, row, rows
from huangpu.core.log import sequencer
from huangpu.core.log.record import NewEvent, record
from huangpu.core.log.sequencer import Logged, consume
from huangpu.parties.actor import Actor
from huangpu.parties.queries import city_id
from huangpu.parties.rights import require

from . import store
from .rules import Market, Tally, count, wanted

SUBSCRIBER = "board"
BATCH_MAX = 1_000

PATIENCE = timedelta(seconds=10)  # twice the job's period: what is older shows that no worker counts


def behind(since: timedelta = timedelta()) -> list[UUID]:
    """The marketplaces whose log holds what the board has not read for so long. One statement."""
    return sequencer.behind(SUBSCRIBER, since)


def catch_up(*, events_max: int | None = None, since: timedelta = timedelta()) -> int:
    """Reads on in every log in which something has waited `since`, at most about `events_max` events in all; returns how
    many it read. One statement when there is nothing to read."""
    waiting, read = behind(since), 0
    for market in store.markets(waiting) if waiting else ():
        while (events_max is None or read < events_max) and (found := _read_on(market)):
            read += found
    return read


def _read_on(market: Market) -> int:
    def handle(events: Sequence[Logged]) -> None:
        agreements, tenders = wanted(events)
        tally = Tally(tenders=store.tenders(tenders), terms=store.terms(agreements))
        count(tally, market, events)
        store.add(market, tally)

    return consume(SUBSCRIBER, market.id, handle, limit=BATCH_MAX)


@act
def rebuild(*, actor: Actor, now: datetime) -> None:
    """Empties the board and puts its subscriber at the beginning of every log; the job (or `catch_up`) counts it anew.

    Event board.rebuilt in the city's log. Refused with the codes of `rights`.
    """
    require(actor, "board.rebuild")
    rows("SELECT 1 FROM log_cursor WHERE subscriber = %s ORDER BY marketplace_id FOR UPDATE", [SUBSCRIBER])
    store.empty()
    execute("UPDATE log_cursor SET position = 0 WHERE subscriber = %s", [SUBSCRIBER])
    city = city_id()
    record(
        [
            NewEvent(
                kind="board.rebuilt", marketplace_id=city, subject_type="board", subject_id=city, occurred_at=now,
                payload={}, actor_id=actor.person_id, organisation_id=actor.organisation_id,
            )
        ]
    )  # fmt: skip


def position(marketplace_id: UUID) -> int:
    """How far the board has read a marketplace's log."""
    found = row(
        "SELECT position FROM log_cursor WHERE subscriber = %s AND marketplace_id = %s", [SUBSCRIBER, marketplace_id]
    )
    return int(found[0]) if found else 0
