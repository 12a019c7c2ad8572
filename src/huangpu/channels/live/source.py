"""What the live process reads: two connections of its own, one that listens and one that asks. Both come back by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg.rows import dict_row

from huangpu.markets.auction import frames
from huangpu.markets.auction import rules as r
from huangpu.markets.auction.store import CHANNEL, standings_of

STATE = """
SELECT opens_at, closes_at, hard_close_at, standings, status, paused_at, extensions, last_sequence, last_accepted_at,
       seen_at, rules
FROM auction_auction WHERE id = %s
"""
ENTRIES = """
SELECT sequence, kind, received_at, at, number, amount_minor AS amount, accepted, reason, closes_at, lead_minor AS lead,
       extended
FROM auction_entry WHERE auction_id = %s AND sequence > %s AND sequence <= %s ORDER BY sequence DESC LIMIT %s
"""
CURVE = """
SELECT sequence, at, lead_minor FROM auction_entry
WHERE auction_id = %s AND sequence <= %s AND kind = 'bid' AND accepted AND amount_minor = lead_minor ORDER BY sequence
"""
LABELS = "SELECT number, label FROM auction_bidder WHERE auction_id = %s"


def conninfo() -> str:
    """The database of the house, for a connection that is not Django's."""
    return str(settings.HUANGPU.application)


class Source:
    """The connection that asks. One question at a time; psycopg keeps them in order."""

    def __init__(self) -> None:
        self.connection: psycopg.AsyncConnection[Any] | None = None

    async def rows(self, sql: str, params: list[Any]) -> list[dict[str, Any]]:
        """One statement. Raises psycopg.OperationalError while the database is away; the next call tries again."""
        if self.connection is None or self.connection.closed:
            self.connection = await psycopg.AsyncConnection.connect(conninfo(), autocommit=True, connect_timeout=5)
        try:
            async with self.connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(sql, params, prepare=True)
                return await cursor.fetchall()
        except psycopg.OperationalError:
            await self.connection.close()
            raise

    async def state(self, auction_id: UUID) -> tuple[r.State, r.AuctionRules] | None:
        """The auction's state and rules, or None: there is no such auction."""
        found = await self.rows(STATE, [auction_id])
        if not found:
            return None
        row = found[0]
        rules = r.AuctionRules.of(row.pop("rules"))
        return r.State(**{**row, "standings": standings_of(row["standings"])}), rules

    async def entries(self, auction_id: UUID, after: int, until: int) -> list[r.Entry]:
        """The last lines of the log above `after` and up to `until`, in order; not many more than are shown."""
        found = await self.rows(ENTRIES, [auction_id, after, until, frames.TAIL_LINES * 4])
        return [r.Entry(**row) for row in reversed(found)]

    async def curve(self, auction_id: UUID, until: int) -> list[frames.Point]:
        """Every entry that took the lead, up to `until`."""
        found = await self.rows(CURVE, [auction_id, until])
        return [(row["sequence"], frames.ms(row["at"]), row["lead_minor"]) for row in found]

    async def labels(self, auction_id: UUID) -> dict[int, str]:
        """What others see of each bidder."""
        return {row["number"]: row["label"] for row in await self.rows(LABELS, [auction_id])}

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close()


async def listen(ready: Callable[[], None], heard: Callable[[str], None]) -> None:
    """Tells each auction that changed, until the connection is lost (then it raises psycopg.OperationalError)."""
    connection = await psycopg.AsyncConnection.connect(conninfo(), autocommit=True, connect_timeout=5)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        ready()
        async for notice in connection.notifies():
            heard(notice.payload)
