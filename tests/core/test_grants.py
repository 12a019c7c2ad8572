"""The application role may do everything but change what only grows."""

from __future__ import annotations

import pytest
from django.db import connection

from huangpu.core.grants import append_only_tables, broken_promises, grant


@pytest.fixture
def role(db: None) -> str:  # noqa: ARG001
    name = "huangpu_grants_test"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")  # goes with the test's transaction
    grant(name)
    return name


def may(role: str, table: str, right: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, right])
        return bool(cursor.fetchone()[0])


def test_what_only_grows_is_not_changed(role: str) -> None:
    assert "log_event" in append_only_tables()
    assert may(role, "log_event", "INSERT")
    assert may(role, "log_event", "SELECT")
    assert not may(role, "log_event", "UPDATE, DELETE, TRUNCATE")
    assert broken_promises(role) == []


def test_nor_by_way_of_a_partition(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'log_event%%'"
        )
        partitions = [name for (name,) in cursor.fetchall()]
    assert partitions
    assert not any(may(role, name, "INSERT, UPDATE, DELETE, TRUNCATE") for name in partitions)


def test_the_rest_is_free(role: str) -> None:
    assert may(role, "django_session", "INSERT")
    assert may(role, "django_session", "DELETE")
    assert not may(role, "django_migrations", "INSERT")


def test_a_table_made_later_can_be_read_and_a_broken_promise_is_told(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_later (n int)")
        cursor.execute(f"GRANT DELETE ON log_event TO {role}")
    assert may(role, "made_later", "SELECT")
    assert not may(role, "made_later", "UPDATE")
    assert broken_promises(role) == [f"{role} may change rows of log_event"]
