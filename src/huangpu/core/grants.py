"""What the application role may do: everything but change the tables that only grow. The last step of `huangpu migrate`."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

from .models import AppendOnly

READ_ONLY = ("django_migrations",)


def append_only_tables() -> list[str]:
    """The tables whose rows never change."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, AppendOnly) and not model._meta.proxy and not model._meta.abstract
    )


def grant(role: str) -> None:
    """Gives the application role its rights on everything there is, and its defaults for what will be made.

    Partitions get SELECT only: rows go in through their parent, whose rights decide. Run by the owner, in one transaction.
    """
    name = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') ORDER BY 1"
        )
        tables = [table for (table,) in cursor.fetchall()]
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND relnamespace = 'public'::regnamespace")
        only_read = {table for (table,) in cursor.fetchall()} | set(READ_ONLY)
        grow = set(append_only_tables())
        for table in tables:
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {quoted} FROM {name}")
            if table not in only_read:
                cursor.execute(f"GRANT {'INSERT' if table in grow else 'INSERT, UPDATE, DELETE'} ON {quoted} TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        cursor.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}")
        for what in ("SELECT ON TABLES", "USAGE, SELECT ON SEQUENCES", "EXECUTE ON FUNCTIONS"):
            cursor.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {what} TO {name}")


def broken_promises(role: str) -> list[str]:
    """Why append-only does not bind this role: one sentence each; empty when it does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if not found:
            return [f"there is no role {role}"]
        if found[0]:
            return [f"{role} is a superuser, whom no right binds"]
        cursor.execute(
            "SELECT t FROM unnest(%s::text[]) t WHERE has_table_privilege(%s, quote_ident(t), 'UPDATE, DELETE, TRUNCATE')",
            [append_only_tables(), role],
        )
        return [f"{role} may change rows of {table}" for (table,) in cursor.fetchall()]
