"""What must hold of payments from wallets: each that succeeded moved its money once, and none that did not."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

MOVED = """
SELECT count(*) FROM operations_operation o LEFT JOIN (
  SELECT reference_id AS id, count(*) AS n FROM funds_transfer WHERE kind = 'wallet_payment' GROUP BY 1) t USING (id)
WHERE o.provider = 'wallet' AND o.state IN ('succeeded', 'declined')
  AND coalesce(t.n, 0) <> CASE WHEN o.state = 'succeeded' THEN 1 ELSE 0 END
"""
AMOUNTS = """
SELECT count(*) FROM checkout_checkout c JOIN operations_payment p ON p.id = c.payment_id
WHERE (p.amount, p.currency, p.payee_id, p.marketplace_id) IS DISTINCT FROM (c.amount, c.currency, c.payee_id, c.marketplace_id)
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    yield none_of("checkout", "payment from a wallet that has not moved its money exactly once", MOVED)
    yield none_of("checkout", "checkout whose payment is over something else", AMOUNTS)
