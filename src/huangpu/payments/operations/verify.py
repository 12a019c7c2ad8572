"""What must hold of payments: their sums are those of their operations, and the books have moved with each, once."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

SUMS = """
SELECT count(*) FROM operations_payment p LEFT JOIN (
  SELECT payment_id, {sums} FROM operations_operation GROUP BY 1) o ON o.payment_id = p.id
WHERE ({kept}) <> ({counted})
"""
OPEN, SUCCEEDED = "state IN ('asked', 'pending', 'unknown')", "state = 'succeeded'"
COLUMNS = {
    "authorising": ("'authorise', 'purchase'", OPEN),
    "authorised": ("'authorise', 'purchase'", SUCCEEDED),
    "capturing": ("'capture'", OPEN),
    "captured": ("'capture', 'purchase'", SUCCEEDED),
    "voiding": ("'void'", OPEN),
    "voided": ("'void'", SUCCEEDED),
    "refunding": ("'refund'", OPEN),
    "refunded": ("'refund'", SUCCEEDED),
}
MOVED = """
SELECT count(*) FROM operations_operation o LEFT JOIN (
  SELECT reference_id AS id, sum(amount) AS amount FROM funds_transfer
  WHERE phase IN (0, 2) AND kind IN ('purchase', 'capture', 'refund', 'payout', 'top_up') GROUP BY 1) t USING (id)
WHERE coalesce(t.amount, 0) <> CASE WHEN o.state = 'succeeded' AND o.verb NOT IN ('authorise', 'void') THEN o.amount ELSE 0 END
"""
HELD = f"""
SELECT count(*) FROM operations_operation o LEFT JOIN funds_hold h ON h.reference_id = o.id AND h.state = 'pending'
WHERE (h.id IS NOT NULL) <> (o.verb IN ('refund', 'payout') AND o.{OPEN})
"""


CHARGED_BACK = """
SELECT count(*) FROM operations_payment p LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM operations_dispute
  WHERE state <> 'won' GROUP BY 1) d ON d.payment_id = p.id
WHERE p.charged_back <> coalesce(d.amount, 0)
"""
DISPUTED = """
SELECT count(*) FROM operations_dispute d LEFT JOIN (
  SELECT t.reference_id AS id, sum(CASE t.kind WHEN 'chargeback' THEN t.amount ELSE -t.amount END) AS amount
  FROM funds_transfer t WHERE t.kind IN ('chargeback', 'chargeback_won') GROUP BY 1) t USING (id)
WHERE coalesce(t.amount, 0) <> CASE WHEN d.state = 'won' THEN 0 ELSE d.amount END
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    sql = SUMS.format(
        sums=", ".join(
            f"coalesce(sum(amount) FILTER (WHERE verb IN ({verbs}) AND {states}), 0) AS {name}"
            for name, (verbs, states) in COLUMNS.items()
        ),
        kept=", ".join(f"p.{name}" for name in COLUMNS),
        counted=", ".join(f"coalesce(o.{name}, 0)" for name in COLUMNS),
    )
    yield none_of("payments", "payment whose sums are not those of its operations", sql)
    yield none_of("payments", "operation that has not moved its money exactly once", MOVED)
    yield none_of("payments", "payment whose disputes are not what was charged back", CHARGED_BACK)
    yield none_of("payments", "dispute that has not moved its money", DISPUTED)
    yield none_of("payments", "open operation out of a wallet without its hold, or a hold without it", HELD)
