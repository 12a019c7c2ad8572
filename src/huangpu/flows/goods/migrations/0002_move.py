"""The one call that moves goods."""

from django.db import migrations

MOVE = """
CREATE FUNCTION goods_move(market uuid, reference uuid, moves jsonb, balances jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO goods_stock (id, marketplace_id, place_id, item_id, owner_id, lot, disposition, on_hand, reserved)
  SELECT id, marketplace_id, place_id, item_id, owner_id, lot, disposition, 0, 0
  FROM jsonb_to_recordset(balances) AS b(id uuid, marketplace_id uuid, place_id uuid, item_id uuid, owner_id uuid,
                                         lot text, disposition text)
  ORDER BY id
  ON CONFLICT DO NOTHING;

  -- locks in the order of the ids, so that two movements never wait for each other
  PERFORM 1 FROM goods_stock s JOIN jsonb_to_recordset(balances) AS b(id uuid) ON b.id = s.id
  ORDER BY s.id FOR NO KEY UPDATE OF s;

  UPDATE goods_stock s SET on_hand = s.on_hand + d.on_hand, reserved = s.reserved + d.reserved
  FROM (
    SELECT id, sum(on_hand) AS on_hand, sum(reserved) AS reserved
    FROM (
      SELECT source AS id, -quantity AS on_hand, reservation AS reserved
      FROM jsonb_to_recordset(moves) AS m(source uuid, quantity numeric, reservation numeric) WHERE source IS NOT NULL
      UNION ALL
      SELECT target, quantity, 0
      FROM jsonb_to_recordset(moves) AS m(target uuid, quantity numeric) WHERE target IS NOT NULL
    ) legs GROUP BY id
  ) d
  WHERE s.id = d.id;

  INSERT INTO goods_movement (id, marketplace_id, source_id, target_id, quantity, reservation, reference_id, recorded_at)
  SELECT id, market, source, target, quantity, reservation, reference, clock_timestamp()
  FROM jsonb_to_recordset(moves) AS m(id uuid, source uuid, target uuid, quantity numeric, reservation numeric);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("goods", "0001_initial")]
    operations = [migrations.RunSQL(MOVE, "DROP FUNCTION goods_move(uuid, uuid, jsonb, jsonb)")]
