"""What may be asked of terminals: a merchant's, their batches, and which share of what is paid goes through them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any
from uuid import UUID

from huangpu.core.db import rows
from huangpu.core.web.paging import Page, page_of

from .acts import unknown
from .models import Batch, Terminal

SHARES = """
SELECT date_trunc('month', o.ended_at AT TIME ZONE %(zone)s)::date AS month, p.channel,
  sum(CASE o.verb WHEN 'refund' THEN -o.amount ELSE o.amount END)::bigint
FROM operations_operation o JOIN operations_payment p ON p.id = o.payment_id
WHERE o.marketplace_id = %(market)s AND o.currency = %(currency)s AND o.state = 'succeeded'
  AND o.verb IN ('purchase', 'capture', 'refund')
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Share:
    """What was paid in a month through a channel, less what was paid back, in minor units; and its share of all channels."""

    month: date
    channel: str
    amount: int
    share: Fraction


def shares(marketplace_id: UUID, currency: str, zone: str) -> list[Share]:
    """The channels of each month with any payment; "pos" is the document's “POS share of retail”."""
    found = rows(SHARES, {"market": marketplace_id, "currency": currency, "zone": zone})
    whole: dict[date, int] = {}
    for month, _channel, amount in found:
        whole[month] = whole.get(month, 0) + amount
    return [
        Share(month, channel, amount, Fraction(amount, whole[month]) if whole[month] else Fraction(0))
        for month, channel, amount in found
    ]


def terminals(marketplace_id: UUID, merchant_id: UUID) -> list[Terminal]:
    """A merchant's terminals, the newest first."""
    return list(Terminal.objects.filter(marketplace_id=marketplace_id, merchant_id=merchant_id).order_by("-pk"))


def own_terminal(marketplace_id: UUID, merchant_id: UUID, identity: str) -> Terminal:
    """A terminal of a merchant's own. Refused: `terminal.unknown`."""
    own = Terminal.objects.filter(marketplace_id=marketplace_id, merchant_id=merchant_id)
    found = own.filter(identity=identity).first()
    if found is None:
        raise unknown(identity)
    return found


def batches(terminal: Terminal, cursor: str | None, limit: int) -> Page[Any]:
    """The batches of a terminal that are closed or being uploaded, newest first."""
    return page_of(Batch.objects.filter(terminal=terminal), cursor, limit)
