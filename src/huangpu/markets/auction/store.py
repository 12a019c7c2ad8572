"""How an auction is read under its lock and written: one statement each.

A bid costs its own transaction these two round trips. The second writes the log's line, the auction's row, the event with
its leaf, and wakes the live process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import write_json
from huangpu.core.db import rows
from huangpu.core.errors import NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, told

from .rules import AuctionRules, Entry, Standing, State

CHANNEL = "huangpu_auction"  # NOTIFY; the payload is the auction's id

LOCK = """
SELECT a.marketplace_id, a.buyer_id, a.is_public, a.currency, a.number, a.rules, a.opens_at, a.closes_at, a.hard_close_at,
       a.standings, a.status, a.paused_at, a.extensions, a.last_sequence, a.last_accepted_at, a.seen_at,
       (SELECT b.number FROM auction_bidder b WHERE b.auction_id = a.id AND b.organisation_id = %s),
       (SELECT b.label FROM auction_bidder b WHERE b.auction_id = a.id AND b.organisation_id = %s),
       (SELECT p.alive_at FROM auction_pulse p),
       set_config('synchronous_commit', CASE WHEN %s THEN 'off' ELSE current_setting('synchronous_commit') END, true)
FROM auction_auction a WHERE a.id = %s FOR NO KEY UPDATE OF a
"""

WRITE = """
WITH entry AS (
  INSERT INTO auction_entry (id, marketplace_id, auction_id, sequence, kind, number, amount_minor, received_at, at, accepted,
                             reason, extended, closes_at, lead_minor, person_id)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
), auction AS (
  UPDATE auction_auction SET opens_at = %s, closes_at = %s, hard_close_at = %s, standings = %s::jsonb, status = %s,
         paused_at = %s, extensions = %s, last_sequence = %s, last_accepted_at = %s, seen_at = %s, lead_minor = %s
  WHERE id = %s
)
SELECT log_record(%s::jsonb), pg_notify(%s, %s)
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """An auction under its lock, as its row says, and who of it asks."""

    id: UUID
    marketplace_id: UUID
    buyer_id: UUID
    is_public: bool
    currency: str
    subject_number: str
    rules: AuctionRules
    state: State
    number: int | None  # the asking organisation's; None: it is no bidder
    label: str | None
    alive_at: datetime | None


# a transaction that writes nothing but its own commit: when that is on disk, so is every commit before it
FLUSH = "SELECT pg_logical_emit_message(true, 'huangpu', '')"


def lock(auction_id: UUID, organisation_id: UUID | None = None, *, flush_later: bool = False) -> Locked:
    """The auction, locked until the transaction ends. NotFound auction.not_found.

    What may change is all in the locked row: a subselect would be answered from before the wait for the lock.
    `flush_later`: the commit gives the lock free at once, and the wait for the disk comes after it, before the caller goes
    on. So the bids of one auction wait for the disk together and not one after the other; none is answered before it is
    on disk.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a lock outside a transaction protects nothing")
    found = rows(LOCK, [organisation_id, organisation_id, flush_later, auction_id])
    if not found:
        raise not_found(auction_id)
    market, buyer, public, currency, subject, rules, opens, closes, hard, standings, *rest = found[0]
    status, paused, extensions, last, accepted, seen, number, label, alive, _ = rest
    state = State(
        opens_at=opens,
        closes_at=closes,
        hard_close_at=hard,
        standings=standings_of(_loaded(standings)),
        status=status,
        paused_at=paused,
        extensions=extensions,
        last_sequence=last,
        last_accepted_at=accepted,
        seen_at=seen,
    )
    if flush_later:
        transaction.on_commit(lambda: rows(FLUSH))
    own_rules = AuctionRules.of(_loaded(rules))
    return Locked(auction_id, market, buyer, public, currency, subject, own_rules, state, number, label, alive)


def write(found: Locked, entry: Entry, state: State, events: Sequence[NewEvent], person_id: UUID | None) -> None:
    """Writes one line of the log with the state after it and its events."""
    line = [entry.sequence, entry.kind, entry.number, entry.amount, entry.received_at, entry.at, entry.accepted]
    line += [entry.reason, entry.extended, state.closes_at, state.lead.amount, person_id]
    row: list[Any] = [
        state.opens_at,
        state.closes_at,
        state.hard_close_at,
        json.dumps(standings_data(state)),
        state.status,
    ]
    row += [state.paused_at, state.extensions, state.last_sequence, state.last_accepted_at, state.seen_at]
    row += [state.lead.amount, found.id]
    told_json = write_json([told(event) for event in events])
    rows(WRITE, [uuid7(), found.marketplace_id, found.id, *line, *row, told_json, CHANNEL, str(found.id)])


def standings_data(state: State) -> list[list[int]]:
    """The standings as the row keeps them."""
    return [[one.number, one.amount, one.sequence] for one in state.standings.values()]


def standings_of(data: list[list[int]]) -> dict[int, Standing]:
    """The standings from what the row keeps."""
    return {number: Standing(amount, sequence, number) for number, amount, sequence in data}


def not_found(auction_id: UUID) -> NotFound:
    """There is no such auction, or not for who asks."""
    return NotFound("auction.not_found", _("There is no such auction."), value=str(auction_id))


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
