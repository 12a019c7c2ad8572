"""What must hold of money from wallet to wallet: held while it waits, moved once when it was accepted, never else."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

MOVED = """
SELECT count(*) FROM wallets_sending s LEFT JOIN funds_hold h ON h.reference_id = s.id
LEFT JOIN (SELECT reference_id, sum(amount) AS amount FROM funds_transfer WHERE phase = 2 AND kind = 'transfer' GROUP BY 1) t
  ON t.reference_id = s.id
WHERE h.id IS NULL OR (h.state = 'pending') <> (s.state = 'waiting')
  OR coalesce(t.amount, 0) <> CASE WHEN s.state = 'accepted' THEN s.amount ELSE 0 END
"""
COUNTED = """
SELECT count(*) FROM (
  SELECT marketplace_id, sender_id, currency, sum(amount) AS total FROM wallets_sent WHERE length(span) = 4
  GROUP BY 1, 2, 3) c
FULL JOIN (SELECT marketplace_id, sender_id, currency, sum(amount) AS total FROM wallets_sending
  WHERE state IN ('waiting', 'accepted') GROUP BY 1, 2, 3) s USING (marketplace_id, sender_id, currency)
WHERE coalesce(c.total, 0) <> coalesce(s.total, 0)
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    yield none_of("wallets", "money on its way that is not held, or was not moved exactly once", MOVED)
    yield none_of("wallets", "sender whose count is not what was sent", COUNTED)
