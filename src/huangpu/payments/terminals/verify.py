"""What must hold of terminals: what was approved was done, what was taken back is undone, a closed batch is its sums."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

APPROVED = """
SELECT count(*) FROM terminals_transaction t LEFT JOIN operations_operation o ON o.id = t.operation_id
WHERE t.response = '00' AND t.reversed_at IS NULL AND o.state IS DISTINCT FROM 'succeeded'
  AND NOT (t.kind IN ('VOID', 'PRE_AUTHORISATION_VOID') AND o.state IN ('asked', 'pending', 'unknown'))
"""
UNDONE = """
SELECT count(*) FROM terminals_transaction t JOIN operations_operation o ON o.id = t.operation_id
LEFT JOIN operations_operation u ON u.id = t.undo_id
WHERE t.reversed_at < now() - interval '1 hour' AND o.state = 'succeeded' AND u.state IS DISTINCT FROM 'succeeded'
"""
SUMS = """
SELECT count(*) FROM terminals_batch b JOIN LATERAL (
  SELECT count(*) FILTER (WHERE kind IN ('SALE', 'COMPLETION')) AS debits,
    coalesce(sum(amount) FILTER (WHERE kind IN ('SALE', 'COMPLETION')), 0) AS debit_amount,
    count(*) FILTER (WHERE kind IN ('VOID', 'REFUND')) AS credits,
    coalesce(sum(amount) FILTER (WHERE kind IN ('VOID', 'REFUND')), 0) AS credit_amount
  FROM terminals_transaction WHERE terminal_id = b.terminal_id AND batch = b.number AND response = '00' AND reversed_at IS NULL
) t ON true
WHERE b.closed_at IS NOT NULL
  AND (b.debits, b.debit_amount, b.credits, b.credit_amount) <> (t.debits, t.debit_amount, t.credits, t.credit_amount)
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    yield none_of("terminals", "transaction approved and not done", APPROVED)
    yield none_of("terminals", "transaction taken back an hour ago and not undone", UNDONE)
    yield none_of("terminals", "closed batch whose sums are not those of its transactions", SUMS)
