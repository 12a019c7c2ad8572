"""The one call that writes events, for `record` and for a room's own function that writes its rows and its event together."""

from django.db import migrations

RECORD = """
CREATE FUNCTION log_record(events jsonb) RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  instant timestamptz := clock_timestamp();
BEGIN
  INSERT INTO log_event (id, marketplace_id, kind, subject_type, subject_id, thread_id, actor_id, organisation_id,
                         occurred_at, payload_hash, leaf, audience, recorded_at)
  SELECT t.id, t.marketplace_id, t.kind, t.subject_type, t.subject_id, t.thread_id, t.actor_id, t.organisation_id,
         t.occurred_at, decode(t.payload_hash, 'hex'), decode(t.leaf, 'hex'), t.audience, instant
  FROM jsonb_to_recordset(events) AS t(
    id uuid, marketplace_id uuid, kind text, subject_type text, subject_id uuid, thread_id uuid, actor_id uuid,
    organisation_id uuid, occurred_at timestamptz, payload_hash text, leaf text, audience uuid[]);

  INSERT INTO log_payload (id, salt, body)
  SELECT t.id, decode(t.salt, 'hex'), t.body FROM jsonb_to_recordset(events) AS t(id uuid, salt text, body jsonb);

  INSERT INTO log_pending (event_id, marketplace_id, transaction, recorded_at)
  SELECT t.id, t.marketplace_id, pg_current_xact_id()::text::bigint, instant
  FROM jsonb_to_recordset(events) AS t(id uuid, marketplace_id uuid);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("log", "0002_remove_event_log_event_marketplace")]
    operations = [migrations.RunSQL(RECORD, "DROP FUNCTION log_record(jsonb)")]
