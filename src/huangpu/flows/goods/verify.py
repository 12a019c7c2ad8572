"""Stock equals its movements; a piece with a serial number is one piece in one place."""

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

TWICE = """
SELECT count(*) FROM (
  SELECT FROM goods_stock WHERE serial <> '' AND on_hand > 0 GROUP BY item_id, serial HAVING count(*) > 1 OR sum(on_hand) <> 1
) twice
"""
OF_NOTHING = """
SELECT count(*) FROM goods_shipment h WHERE NOT EXISTS (SELECT FROM log_event e WHERE e.id = h.event_id)
"""


def checks() -> Iterator[Check]:
    yield none_of("goods", "stock balances that differ from the sum of their movements", DRIFT)
    yield none_of("goods", "serial number in two places, or on more or less than one piece", TWICE)
    yield none_of("goods", "shipment without the event that tells of it", OF_NOTHING)
