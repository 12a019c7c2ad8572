"""What may be asked of clearing: windows, their positions as a picture, and the breaks of reconciliation by their age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import rows
from huangpu.core.errors import NotFound
from huangpu.core.web.paging import Page, page_of

from . import acts
from .models import Window

MERCHANTS = """
SELECT merchant_id, sum(amount)::bigint, count(*) FROM clearing_obligation WHERE window_id = %s GROUP BY 1
ORDER BY abs(sum(amount)) DESC, 1 LIMIT %s
"""
TOTALS = (
    "SELECT window_id, count(*), sum(abs(amount))::bigint FROM clearing_obligation WHERE window_id = ANY(%s) GROUP BY 1"
)
AGES = """
SELECT CASE WHEN age < 2 THEN 0 WHEN age < 8 THEN 1 WHEN age < 31 THEN 2 ELSE 3 END, count(*), sum(abs(amount))::bigint
FROM (SELECT extract(epoch FROM %(now)s - b.found_at) / 86400 AS age, b.amount FROM reconciliation_break b
      JOIN reconciliation_statement s ON s.id = b.statement_id
      WHERE s.marketplace_id = %(market)s AND s.currency = %(currency)s AND b.resolved_at IS NULL) open_ones GROUP BY 1
"""
HALF = 100  # units of the picture from the middle line to its edge


@dataclass(frozen=True, slots=True)
class Position:
    """A participant's net position and its bar: from `x`, `width` wide, in a picture 2 × HALF wide."""

    name: str
    amount: int
    x: int
    width: int


def windows(marketplace_id: UUID, cursor: str | None, limit: int) -> tuple[Page[Any], dict[UUID, tuple[int, int]]]:
    """The windows, newest first, and of each how many operations it holds and what they come to before netting."""
    page = page_of(Window.objects.filter(marketplace_id=marketplace_id), cursor, limit)
    return page, {id: (count, gross) for id, count, gross in rows(TOTALS, [[one.pk for one in page.items]])}


def window(marketplace_id: UUID, window_id: UUID) -> Window:
    """One window of the marketplace. Refused: `window.unknown`."""
    found = Window.objects.filter(pk=window_id, marketplace_id=marketplace_id).first()
    if found is None:
        raise NotFound("window.unknown", _("There is no window %(value)s."), field="window", value=str(window_id))
    return found


def providers(window_id: UUID) -> list[Position]:
    """The providers' positions: above zero they owe."""
    return _drawn(acts.positions(window_id))


def merchants(window_id: UUID, limit: int = 20) -> list[tuple[UUID, int, int]]:
    """The merchants with the largest positions, and how many operations made them."""
    return [(id, amount, count) for id, amount, count in rows(MERCHANTS, [window_id, limit])]


def ages(marketplace_id: UUID, currency: str, now: datetime) -> list[tuple[int, int]]:
    """The open breaks of reconciliation: count and amount of those of 0–1, 2–7, 8–30 and more days."""
    values = {"market": marketplace_id, "currency": currency, "now": now}
    found = {bucket: (count, amount) for bucket, count, amount in rows(AGES, values)}
    return [found.get(bucket, (0, 0)) for bucket in range(4)]


def _drawn(positions: dict[str, int]) -> list[Position]:
    most = max((abs(amount) for amount in positions.values()), default=0)
    drawn = []
    for name, amount in positions.items():
        width = max(2, abs(amount) * HALF // most)
        drawn.append(Position(name, amount, HALF if amount > 0 else HALF - width, width))
    return drawn
