"""The database as acts use it: one transaction an act, one round trip a set, locks in one order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, models, transaction
from django.utils.translation import gettext_lazy as _

from .errors import Conflict

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=models.Model)

BUSY_STATES = frozenset(
    {"55P03", "40P01", "40001", "57014"}  # lock not available, deadlock, serialization failure, query cancelled
)

_inside = ContextVar("inside_an_act", default=False)
_done = ContextVar("acts_done", default=0)


def act(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a public act of a room: it runs in one transaction, its own or the one of the act that called it.

    An act inside an act has no savepoint: if it fails, it takes the whole of the outermost act with it, so nothing is
    half-written. The outermost act has one only where a page's request holds the transaction (`idempotency.py`), so
    that the page can be shown again with what was wrong.
    """

    @functools.wraps(function)
    def in_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        if _inside.get():
            with _busy_is_a_conflict(), transaction.atomic(savepoint=False):
                return function(*args, **kwargs)
        with one_act():
            return function(*args, **kwargs)

    return in_transaction


def statement_act(function: Callable[P, R]) -> Callable[P, R]:
    """Marks an act that writes with one statement only, after whatever it has read: that statement is its transaction, and
    two round trips (BEGIN, COMMIT) are saved. Within another act or a page's transaction it is a part of that as any act."""
    within = act(function)

    @functools.wraps(function)
    def by_itself(*args: P.args, **kwargs: P.kwargs) -> R:
        if _inside.get() or connection.in_atomic_block:
            return within(*args, **kwargs)
        outer = _inside.set(True)
        try:
            with _busy_is_a_conflict():
                answer = function(*args, **kwargs)
        finally:
            _inside.reset(outer)
        _done.set(_done.get() + 1)
        return answer

    return by_itself


@contextmanager
def one_act() -> Iterator[None]:
    """All acts within are one act: they stand or fall together, in one transaction."""
    outer = _inside.set(True)
    try:
        with _busy_is_a_conflict(), transaction.atomic():
            yield
        _done.set(_done.get() + 1)
    finally:
        _inside.reset(outer)


@contextmanager
def _busy_is_a_conflict() -> Iterator[None]:
    try:
        yield
    except OperationalError as wrong:
        conflict = busy(wrong)
        if conflict is None:
            raise
        raise conflict from wrong


def busy(wrong: Exception) -> Conflict | None:
    """What it means that the database gave up because of others: nothing was changed, and the same again may succeed.

    Waiting for a lock for longer than `environment.LOCK_WAIT_MS_MAX`, a deadlock, a serialization failure. None: not that.
    """
    if getattr(wrong.__cause__, "sqlstate", "") not in BUSY_STATES:
        return None
    return Conflict("database.busy", _("Others are changing the same thing just now; nothing was changed. Try again."))


def acts_done() -> int:
    """How many outermost acts this thread has brought to their end: a door compares it before and after."""
    return _done.get()


def _run(sql: str, params: Sequence[Any] | Mapping[str, Any], *, binary: bool = False) -> psycopg.Cursor[Any]:
    """Runs a statement with its values bound on the server, so that one that comes again is already planned (psycopg prepares
    it). Django's own cursors put the values into the text, and PostgreSQL plans every text anew: for the statement that writes
    an act, planning costs more than executing. Counted and logged by Django like any other."""
    wrapper = connections[DEFAULT_DB_ALIAS]  # looked up once: each use of `connection` looks it up again
    wrapper.ensure_connection()
    cursor: psycopg.Cursor[Any] = psycopg.Cursor(cast(Any, wrapper.connection))
    if binary:
        cursor.format = psycopg.pq.Format.BINARY
    if wrapper.queries_logged:
        wrapper.make_debug_cursor(cast(Any, cursor)).execute(sql, params or None)
    elif wrapper.execute_wrappers:
        wrapper.make_cursor(cast(Any, cursor)).execute(sql, params or None)
    else:  # what these two would do, without the layers between
        wrapper.validate_no_broken_transaction()
        with wrapper.wrap_database_errors:
            cursor.execute(sql, params or None)
    return cursor


def rows(sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, binary: bool = False) -> list[tuple[Any, ...]]:
    """One statement that answers with rows: all of them. `binary`: values come in PostgreSQL's binary form, which psycopg reads
    with its compiled loaders; JSON is then parsed, where Django would have left it as text."""
    return list(_run(sql, params, binary=binary).fetchall())


def row(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
    """One statement that answers with rows: the first, or None."""
    found: tuple[Any, ...] | None = _run(sql, params).fetchone()
    return found


def execute(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """One statement; returns how many rows it touched."""
    return _run(sql, params).rowcount


def lock(model: type[M], ids: Iterable[UUID]) -> dict[UUID, M]:
    """Locks rows of one table in the order of their ids and returns them by id. Every act takes its locks through here
    or through a SQL function that orders by id too: tables in the order of the floors from above, rows by id."""
    if not connection.in_atomic_block:
        raise RuntimeError("a lock outside a transaction protects nothing")
    found = model._default_manager.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {item.pk: item for item in found}
