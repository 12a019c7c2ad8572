"""`huangpu migrate`: the tables, their partitions, the rights on them, and a check that all of it holds."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import click

from huangpu.channels.cli.database import become_owner, database, set_up_django
from huangpu.core.postgres import DatabaseUnusable
from huangpu.core.server import require_usable
from huangpu.environment import django_database, environment


@click.command()
@click.option("--quiet", is_flag=True, help="Say nothing unless something is wrong.")
def migrate(quiet: bool) -> None:
    """Bring the database to this code: migrations, partitions of the coming months, rights; ends with a check.

    Runs as the owner (HUANGPU_OWNER_URL, else the role of DATABASE_URL).
    """
    with database():
        role = str(django_database(environment().application)["USER"])
        become_owner()
        if environment().owner_url:
            require_usable(environment().owner)
        set_up_django()
        _migrate(role, quiet)


def _migrate(role: str, quiet: bool) -> None:
    from django.core.management import call_command
    from django.db import DatabaseError, connection, transaction

    from huangpu.channels.cli.database import unapplied_migrations
    from huangpu.core.grants import broken_promises, grant
    from huangpu.core.partition import ensure_partitions

    try:
        call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
        made = ensure_partitions(datetime.now(UTC))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            owner = str(cursor.fetchone()[0])
        if role and role != owner:
            with transaction.atomic():
                grant(role)
        call_command("check", databases=["default"], stdout=io.StringIO())
    except DatabaseError as wrong:
        raise DatabaseUnusable(f"migration stopped: {str(wrong).splitlines()[0]}") from wrong
    if missing := unapplied_migrations():
        raise DatabaseUnusable(f"{missing} migrations are still not applied")
    _tell(role or owner, owner, made, broken_promises(role or owner), quiet)


def _tell(role: str, owner: str, made: int, broken: list[str], quiet: bool) -> None:
    if role == owner:
        print(
            f"huangpu: {owner} both owns the tables and serves: no right keeps it from changing what only grows;"
            " set HUANGPU_OWNER_URL to another role for that",
            file=sys.stderr,
        )
    elif broken:
        raise DatabaseUnusable("; ".join(broken))
    if not quiet:
        print(f"The database is at this code: {made} partitions made, run time role {role}.")
