"""What must hold of clearing: what was settled is the net of the window, once."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

SETTLED = """
SELECT count(*) FROM clearing_window w
JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS net FROM clearing_obligation WHERE window_id = w.id) o ON true
JOIN LATERAL (
  SELECT coalesce(sum(CASE WHEN d.book = 'settlement' THEN t.amount ELSE -t.amount END), 0) AS net
  FROM funds_transfer t JOIN funds_account d ON d.id = t.debit_id
  WHERE t.reference_id = w.id AND t.kind = 'settlement') m ON true
WHERE m.net <> CASE WHEN w.state = 'settled' THEN o.net ELSE 0 END
"""
OBLIGATIONS = """
SELECT count(*) FROM clearing_obligation c JOIN operations_operation o ON o.id = c.operation_id
WHERE o.state <> 'succeeded' OR abs(c.amount) <> o.amount OR c.provider <> o.provider OR c.merchant_id <> o.holder_id
"""


def checks() -> Iterator[Check]:
    """One check a rule."""
    yield none_of("clearing", "window whose settlement is not its net", SETTLED)
    yield none_of("clearing", "obligation that is not its operation", OBLIGATIONS)
