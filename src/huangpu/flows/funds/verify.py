"""The books balance: every balance is the sum of its transfers, every currency sums to zero, every hold is consistent."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

TOTALS = """
WITH slots AS (
  SELECT account_id, sum(posted_debit) AS posted_debit, sum(posted_credit) AS posted_credit,
         sum(pending_debit) AS pending_debit, sum(pending_credit) AS pending_credit
  FROM funds_subbalance GROUP BY 1
), total AS (
  SELECT a.id, a.marketplace_id, a.currency,
         a.posted_debit + coalesce(s.posted_debit, 0) AS posted_debit,
         a.posted_credit + coalesce(s.posted_credit, 0) AS posted_credit,
         a.pending_debit + coalesce(s.pending_debit, 0) AS pending_debit,
         a.pending_credit + coalesce(s.pending_credit, 0) AS pending_credit
  FROM funds_account a LEFT JOIN slots s ON s.account_id = a.id
)
"""
UNBALANCED = (
    TOTALS
    + """SELECT count(*) FROM (SELECT marketplace_id, currency FROM total GROUP BY 1, 2
HAVING sum(posted_debit) <> sum(posted_credit) OR sum(pending_debit) <> sum(pending_credit)) u"""
)
DRIFTED = (
    TOTALS
    + """, moved AS (
  SELECT id, sum(d) AS debit, sum(c) AS credit FROM (
    SELECT debit_id AS id, amount AS d, 0 AS c FROM funds_transfer WHERE phase IN ('transfer', 'capture')
    UNION ALL SELECT credit_id, 0, amount FROM funds_transfer WHERE phase IN ('transfer', 'capture')
  ) legs GROUP BY id
), held AS (
  SELECT id, sum(d) AS debit, sum(c) AS credit FROM (
    SELECT debit_id AS id, amount - captured - voided AS d, 0 AS c FROM funds_hold
    UNION ALL SELECT credit_id, 0, amount - captured - voided FROM funds_hold
  ) legs GROUP BY id
)
SELECT count(*) FROM total t LEFT JOIN moved m USING (id) LEFT JOIN held h USING (id)
WHERE t.posted_debit <> coalesce(m.debit, 0) OR t.posted_credit <> coalesce(m.credit, 0)
   OR t.pending_debit <> coalesce(h.debit, 0) OR t.pending_credit <> coalesce(h.credit, 0)"""
)
HOLDS = """
SELECT count(*) FROM funds_hold h LEFT JOIN (
  SELECT hold_id, sum(amount) FILTER (WHERE phase = 'capture') AS captured, sum(amount) FILTER (WHERE phase = 'void') AS voided
  FROM funds_transfer WHERE hold_id IS NOT NULL GROUP BY 1
) t ON t.hold_id = h.id
WHERE h.captured <> coalesce(t.captured, 0) OR h.voided <> coalesce(t.voided, 0)
   OR (h.state = 'pending') <> (h.captured + h.voided < h.amount)
"""
CHECKS = {
    "marketplaces and currencies whose books do not balance": UNBALANCED,
    "accounts that differ from the sum of their transfers and holds": DRIFTED,
    "holds that differ from what was captured and voided": HOLDS,
}


def checks() -> Iterator[Check]:
    for what, sql in CHECKS.items():
        yield none_of("funds", what, sql)
