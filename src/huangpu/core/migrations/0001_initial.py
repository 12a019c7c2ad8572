"""The function that makes a month's partition, and the idempotency table."""

from django.db import migrations, models

PARTITION = """
CREATE FUNCTION core_partition(parent text, month date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child text := format('%s_%s', parent, to_char(month, 'YYYYMM'));
  low uuid := (lpad(to_hex((extract(epoch FROM month::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  high uuid := (lpad(to_hex((extract(epoch FROM month::timestamp + interval '1 month') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
BEGIN
  IF to_regclass(child) IS NOT NULL THEN RETURN 0; END IF;
  -- only a table that is partitioned already: the function must not become a way to run any DDL
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(parent) AND relkind = 'p') THEN
    RAISE EXCEPTION 'core_partition: % is not a partitioned table', parent;
  END IF;
  BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent, low, high);
  EXCEPTION WHEN duplicate_table THEN RETURN 0;  -- another process was faster
  END;
  RETURN 1;
END $$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(PARTITION, "DROP FUNCTION core_partition(text, date)"),
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organisation_id", models.UUIDField()),
                ("route", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=255)),
                ("payload_hash", models.BinaryField(max_length=32)),
                ("status", models.SmallIntegerField(null=True)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organisation_id", "route", "key"), name="core_idempotent_once")
                ],
            },
        ),
    ]
