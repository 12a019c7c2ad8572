"""The database as acts use it: one transaction an act, one round trip a set, locks in one order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, models, transaction

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=models.Model)

LOCK_WAIT_MS_MAX = 3000


def act(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a public act of a room: it runs in one transaction, its own or the one of the act that called it.

    There are no savepoints: an act that fails takes the whole of the outermost act with it, so nothing is half-written.
    """

    @functools.wraps(function)
    def in_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic(savepoint=False):
            return function(*args, **kwargs)

    return in_transaction


def rows(sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
    """One statement, all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def row(sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
    """One statement, its first row or None."""
    found = rows(sql, params)
    return found[0] if found else None


def execute(sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
    """One statement; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def lock(model: type[M], ids: Iterable[UUID]) -> dict[UUID, M]:
    """Locks rows of one table in the order of their ids and returns them by id. Every act takes its locks through here
    or through a SQL function that orders by id too: tables in the order of the floors from above, rows by id."""
    if not connection.in_atomic_block:
        raise RuntimeError("a lock outside a transaction protects nothing")
    found = model._default_manager.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {item.pk: item for item in found}
