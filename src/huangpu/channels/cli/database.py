"""The database a command works on: the one at DATABASE_URL, or the embedded one, started for the command if need be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from huangpu.core.postgres import DatabaseUnusable, is_served, serve
from huangpu.environment import environment


@contextmanager
def database() -> Iterator[None]:
    """For the length of the block there is a database that can be used. Refuses with DatabaseUnusable."""
    from huangpu.core.server import require_usable  # it loads the driver, which a second `huangpu demo` has no need of

    env = environment()
    if env.database_url:
        env.database  # noqa: B018  a DSN of the wrong shape is refused by its name, before it is tried
        require_usable(env.database_url)
        yield
    elif is_served(env.data) is not None:
        require_usable(env.application)
        yield
    else:
        with serve(env.data):
            require_usable(env.application)
            yield


def become_owner() -> None:
    """From here on this process works as the role that migrates. To be called before Django is set up."""
    os.environ["HUANGPU_AS_OWNER"] = "1"
    environment.cache_clear()


def set_up_django() -> None:
    """Loads the settings and every room."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huangpu.settings")
    django.setup()


def require_migrated() -> None:
    """Refuses with DatabaseUnusable when the tables are not those of this code."""
    if missing := unapplied_migrations():
        raise DatabaseUnusable(f"{missing} migrations are not applied: run `huangpu migrate`")


def unapplied_migrations() -> int:
    """How many migrations this code has that the database has not."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
