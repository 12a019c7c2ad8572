"""Stock equals its movements."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.db import row

DRIFT = """
SELECT count(*) FROM goods_stock s LEFT JOIN (
  SELECT id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM (
    SELECT source_id AS id, -quantity AS on_hand, reservation AS reserved FROM goods_movement WHERE source_id IS NOT NULL
    UNION ALL SELECT target_id, quantity, 0 FROM goods_movement WHERE target_id IS NOT NULL
  ) legs GROUP BY id
) m USING (id)
WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(m.reserved, 0)
"""


def drifted() -> int:
    """How many balances differ from the sum of their movements: 0, always."""
    found = row(DRIFT)
    return int(found[0]) if found else 0


def problems() -> Iterator[str]:
    if count := drifted():
        yield f"{count} stock balances differ from the sum of their movements"
