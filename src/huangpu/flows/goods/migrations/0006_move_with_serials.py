"""The one call that moves goods keeps the serial number of a balance. Otherwise as in migration 0003, but for
a single move from a balance to itself."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("huangpu.flows.goods.migrations.0003_move_known_first")

MOVE = """
CREATE OR REPLACE FUNCTION goods_move(market uuid, reference uuid, moves jsonb, balances jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  locked int; leg record;
BEGIN
  FOR try IN 1..2 LOOP
    -- locks in the order of the ids, so that two movements never wait for each other
    PERFORM 1 FROM goods_stock s JOIN jsonb_to_recordset(balances) AS b(id uuid) ON b.id = s.id
    ORDER BY s.id FOR NO KEY UPDATE OF s;
    GET DIAGNOSTICS locked = ROW_COUNT;
    EXIT WHEN locked = jsonb_array_length(balances);

    INSERT INTO goods_stock (id, marketplace_id, place_id, item_id, owner_id, lot, serial, disposition, on_hand,
                             reserved)
    SELECT id, marketplace_id, place_id, item_id, owner_id, lot, coalesce(serial, ''), disposition, 0, 0
    FROM jsonb_to_recordset(balances) AS b(id uuid, marketplace_id uuid, place_id uuid, item_id uuid, owner_id uuid,
                                           lot text, serial text, disposition text)
    ORDER BY id
    ON CONFLICT (id) DO NOTHING;
  END LOOP;

  -- from a balance to itself is nothing, not first less and then more
  IF jsonb_array_length(moves) = 1 AND moves->0->>'source' IS DISTINCT FROM moves->0->>'target' THEN
    SELECT * INTO leg FROM jsonb_to_record(moves->0) AS m(source uuid, target uuid, quantity numeric, reservation numeric);
    IF leg.source IS NOT NULL THEN
      UPDATE goods_stock SET on_hand = on_hand - leg.quantity, reserved = reserved + leg.reservation WHERE id = leg.source;
    END IF;
    IF leg.target IS NOT NULL THEN
      UPDATE goods_stock SET on_hand = on_hand + leg.quantity WHERE id = leg.target;
    END IF;
  ELSE
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
  END IF;

  INSERT INTO goods_movement (id, marketplace_id, source_id, target_id, quantity, reservation, reference_id, recorded_at)
  SELECT id, market, source, target, quantity, reservation, reference, clock_timestamp()
  FROM jsonb_to_recordset(moves) AS m(id uuid, source uuid, target uuid, quantity numeric, reservation numeric);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("goods", "0005_serials")]
    operations = [migrations.RunSQL(MOVE, BEFORE.MOVE)]
