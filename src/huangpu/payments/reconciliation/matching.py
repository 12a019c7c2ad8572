"""The comparison itself: each step one statement over all lines at once.

1. one line, one transfer: the operation that the line names, and the very amount;
2. several lines of one operation that make its transfer together;
3. one line, one transfer, within the tolerance;
4. what is left of the lines, with why; 5. what is left of the transfers of the span; 6. what was missing and has come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from huangpu.core.db import execute, row

from .models import Statement

WORK_MEM = "256MB"

# Lines of the statement that are not matched, and transfers over the account that no line has; signed from our side: what the
# provider owes us grows by a debit of its account. A capture is the hold's money moving.
LEFT = """
lines AS (
  SELECT l.id, l.operation_id, l.amount FROM reconciliation_line l
  WHERE l.statement_id = %(statement)s AND NOT EXISTS (SELECT FROM reconciliation_match m WHERE m.line_id = l.id)
), moved AS (
  SELECT t.id, t.reference_id, CASE WHEN t.debit_id = %(bank)s THEN t.amount ELSE -t.amount END AS amount
  FROM funds_transfer t
  WHERE (t.debit_id = %(bank)s OR t.credit_id = %(bank)s) AND t.phase IN (0, 2) AND t.kind <> 'break'
    AND t.posted_at < %(until)s AND NOT EXISTS (SELECT FROM reconciliation_match m WHERE m.transfer_id = t.id)
)
"""
ONE_TO_ONE = f"""
WITH {LEFT}, l AS (
  SELECT *, row_number() OVER (PARTITION BY operation_id, amount ORDER BY id) AS nth FROM lines WHERE operation_id IS NOT NULL
), t AS (SELECT *, row_number() OVER (PARTITION BY reference_id, amount ORDER BY id) AS nth FROM moved)
INSERT INTO reconciliation_match (line_id, transfer_id, difference)
SELECT l.id, t.id, 0 FROM l JOIN t ON t.reference_id = l.operation_id AND t.amount = l.amount AND t.nth = l.nth
"""
IN_PARTS = f"""
WITH {LEFT}, l AS (
  SELECT operation_id, sum(amount) AS amount, array_agg(id) AS ids FROM lines WHERE operation_id IS NOT NULL
  GROUP BY 1 HAVING count(*) > 1
), t AS (SELECT *, row_number() OVER (PARTITION BY reference_id, amount ORDER BY id) AS nth FROM moved)
INSERT INTO reconciliation_match (line_id, transfer_id, difference)
SELECT unnest(l.ids), t.id, 0 FROM l JOIN t ON t.reference_id = l.operation_id AND t.amount = l.amount AND t.nth = 1
"""
NEARLY = f"""
WITH {LEFT}, l AS (
  SELECT *, row_number() OVER (PARTITION BY operation_id ORDER BY id) AS nth FROM lines WHERE operation_id IS NOT NULL
), t AS (SELECT *, row_number() OVER (PARTITION BY reference_id ORDER BY id) AS nth FROM moved)
INSERT INTO reconciliation_match (line_id, transfer_id, difference)
SELECT l.id, t.id, l.amount - t.amount FROM l JOIN t ON t.reference_id = l.operation_id AND t.nth = 1 AND l.nth = 1
WHERE abs(l.amount - t.amount) <= %(tolerance)s AND sign(l.amount) = sign(t.amount)
"""
THEIRS = f"""
WITH {LEFT}
INSERT INTO reconciliation_break (statement_id, line_id, amount, reason, found_at)
SELECT %(statement)s, l.id, l.amount,
  CASE WHEN l.operation_id IN (SELECT reference_id FROM moved) THEN 'amount'  -- asked once, not for each line
       WHEN EXISTS (SELECT FROM reconciliation_line k JOIN reconciliation_match m ON m.line_id = k.id
                    WHERE k.operation_id = l.operation_id) THEN 'twice'
       ELSE 'unknown' END, %(now)s
FROM lines l
"""
OURS = f"""
WITH {LEFT}
INSERT INTO reconciliation_break (statement_id, transfer_id, amount, reason, found_at)
SELECT %(statement)s, t.id, t.amount, 'missing', %(now)s FROM moved t ON CONFLICT (transfer_id) DO NOTHING
"""
COME = """
UPDATE reconciliation_break b SET resolved_at = %(now)s FROM reconciliation_match m
WHERE b.transfer_id = m.transfer_id AND b.resolved_at IS NULL
"""
UNKNOWN = """
SELECT line_id, amount FROM reconciliation_break WHERE statement_id = %(statement)s AND line_id IS NOT NULL
UNION ALL
SELECT m.line_id, m.difference FROM reconciliation_match m JOIN reconciliation_line l ON l.id = m.line_id
WHERE l.statement_id = %(statement)s AND m.difference <> 0
ORDER BY 1
"""
POSTED = """
UPDATE reconciliation_break b SET posted_id = p.id FROM unnest(%s::bigint[], %s::uuid[]) p(line, id)
WHERE b.line_id = p.line AND b.statement_id = %s
"""
FOUND = """
SELECT (SELECT count(*) FROM reconciliation_match m JOIN reconciliation_line l ON l.id = m.line_id
        WHERE l.statement_id = %(s)s),
  count(*) FILTER (WHERE line_id IS NOT NULL), count(*) FILTER (WHERE transfer_id IS NOT NULL),
  count(*) FILTER (WHERE transfer_id IS NOT NULL AND resolved_at IS NOT NULL)
FROM reconciliation_break WHERE statement_id = %(s)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """How many lines of a statement are matched, how many are theirs alone, how many transfers ours alone, and how many of
    those have come since."""

    matched: int
    theirs: int
    ours: int
    resolved: int


def run(statement: Statement, bank: UUID, tolerance: int, now: datetime) -> None:
    """All steps, in order, within the caller's transaction."""
    execute(f"SET LOCAL work_mem = '{WORK_MEM}'")  # a million lines are sorted and hashed in memory, not on the disk
    values = {"statement": statement.pk, "bank": bank, "until": statement.ended_at, "tolerance": tolerance, "now": now}
    for step in (ONE_TO_ONE, IN_PARTS, NEARLY, THEIRS, OURS, COME):
        execute(step, values)


def found(statement_id: UUID) -> Found:
    """The counts of a matched statement."""
    counted = row(FOUND, {"s": statement_id})
    assert counted
    return Found(*counted)
