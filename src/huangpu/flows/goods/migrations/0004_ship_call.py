"""The call that keeps despatches, for the act that delivers."""

from django.db import migrations

SHIP = """
CREATE FUNCTION goods_ship(shipments jsonb) RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS $$
  INSERT INTO goods_shipment (id, marketplace_id, reference_id, event_id, sender_id, receiver_id, carrier, tracking, vehicle,
                              lines, shipped_at)
  SELECT s.* FROM jsonb_to_recordset(shipments) AS s(id uuid, marketplace_id uuid, reference_id uuid, event_id uuid,
    sender_id uuid, receiver_id uuid, carrier text, tracking text, vehicle text, lines jsonb, shipped_at timestamptz)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("goods", "0003_move_known_first")]
    operations = [migrations.RunSQL(SHIP, "DROP FUNCTION goods_ship(jsonb)")]
