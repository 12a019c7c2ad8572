"""Tables that grow without end are partitioned by month from the first day, by the range of their UUIDv7 key.

So the primary key stays the id, and an id alone finds its partition. Rows of months without a partition fall into the
default one. `core_partition` runs with its owner's rights: the application role may ask for a month, not for DDL.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.migrations.operations import CreateModel

MONTHS_AHEAD = 3


class CreatePartitioned(CreateModel):
    """`CreateModel` for a table PARTITION BY RANGE of its UUIDv7 primary key `id`, with its default partition.

    A foreign key from or to such a table is declared with db_constraint=False: `huangpu verify` holds it instead.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ARG002
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        sql, params = schema_editor.table_sql(model)
        table = model._meta.db_table
        schema_editor.execute(f"{sql} PARTITION BY RANGE ({model._meta.pk.column})", params or None)
        schema_editor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))


def partitioned_tables() -> list[str]:
    """Every table that was created by `CreatePartitioned`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def ensure_partitions(now: datetime) -> int:
    """Makes the partitions of this month and the next three; returns how many it made. Safe to call at any time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(core_partition(t, (date_trunc('month', %s::timestamptz) + m * interval '1 month')::date)), 0)"
            " FROM unnest(%s::text[]) t, generate_series(0, %s) m",
            [now, partitioned_tables(), MONTHS_AHEAD],
        )
        return int(cursor.fetchone()[0])
