"""What must hold of reconciliation: every line of a matched statement is matched or broken, and what is matched fits."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

LINES = """
SELECT count(*) FROM reconciliation_line l JOIN reconciliation_statement s ON s.id = l.statement_id AND s.matched_at IS NOT NULL
LEFT JOIN reconciliation_match m ON m.line_id = l.id LEFT JOIN reconciliation_break b ON b.line_id = l.id
WHERE (m.line_id IS NULL) = (b.id IS NULL)
"""
SUMS = """
SELECT count(*) FROM (
  SELECT m.transfer_id, abs(sum(l.amount - m.difference)) AS amount FROM reconciliation_match m
  JOIN reconciliation_line l ON l.id = m.line_id GROUP BY 1) k
LEFT JOIN funds_transfer t ON t.id = k.transfer_id WHERE t.amount IS DISTINCT FROM k.amount
"""
SUSPENSE = """
SELECT count(*) FROM reconciliation_break b LEFT JOIN funds_transfer t ON t.id = b.posted_id
JOIN reconciliation_statement s ON s.id = b.statement_id AND s.matched_at IS NOT NULL
WHERE b.line_id IS NOT NULL AND t.amount IS DISTINCT FROM abs(b.amount)
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    yield none_of("reconciliation", "line that is neither matched nor broken, or both", LINES)
    yield none_of("reconciliation", "transfer matched by lines that are not its amount", SUMS)
    yield none_of("reconciliation", "line of a provider alone that is not in suspense", SUSPENSE)
