"""Stock equals its movements."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check, none_of

DRIFT = """
SELECT count(*) FROM goods_stock s LEFT JOIN (
  SELECT id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM (
    SELECT source_id AS id, -quantity AS on_hand, reservation AS reserved FROM goods_movement WHERE source_id IS NOT NULL
    UNION ALL SELECT target_id, quantity, 0 FROM goods_movement WHERE target_id IS NOT NULL
  ) legs GROUP BY id
) m USING (id)
WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(m.reserved, 0)
"""


def checks() -> Iterator[Check]:
    yield none_of("goods", "stock balances that differ from the sum of their movements", DRIFT)
