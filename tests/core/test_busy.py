"""What the database says when others are in the way, or when it is away itself: clear, and worth trying again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model
from django.test import RequestFactory

from huangpu.channels.web import errors
from huangpu.core.db import act, lock, row
from huangpu.core.errors import Conflict
from huangpu.core.web import problems
from huangpu.environment import LOCK_WAIT_MS_MAX, Environment, environment
from huangpu.parties.models import Organisation


@contextmanager
def locked_by_another(id: UUID, model: type[Model] = Organisation) -> Iterator[None]:
    """Another connection holds the row for the length of the block."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock(model, [id])
                held.set()
                done.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        yield
    finally:
        done.set()
        thread.join()


@act
def touch(*, id: UUID, within_another: bool = False) -> None:
    """Takes the lock, with the least patience."""
    row("SELECT set_config('lock_timeout', '20ms', true)")
    if within_another:
        touch(id=id)
    lock(Organisation, [id])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within_another", [False, True])
def test_who_waits_too_long_for_a_lock_is_told_to_try_again(within_another: bool) -> None:
    organisation = Organisation.objects.create(name={"en": "Wanted"})
    with locked_by_another(organisation.id), pytest.raises(Conflict) as told:
        touch(id=organisation.id, within_another=within_another)
    assert told.value.code == "database.busy"
    touch(id=organisation.id)


@pytest.mark.django_db
def test_the_connections_of_the_house_do_not_wait_for_ever() -> None:
    assert row("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'") == (LOCK_WAIT_MS_MAX,)


def test_a_migration_waits_as_long_as_it_takes() -> None:
    known = environment()
    owner = Environment(**{**{name: getattr(known, name) for name in known.__dataclass_fields__}, "as_owner": True})
    assert "options" not in owner.database["OPTIONS"]
    assert f"lock_timeout={LOCK_WAIT_MS_MAX}" in known.database["OPTIONS"]["options"]


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_503_and_says_when_to_come_again(rf: RequestFactory, kind: type[Exception]) -> None:
    answer = problems.unexpected(rf.post("/api/v1/m/x/tenders"), kind("connection lost"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    try:
        raise kind("connection lost")
    except kind:
        page = errors.unexpected(rf.get("/"))
    assert (page.status_code, page["Retry-After"]) == (503, "1")


def test_an_error_of_ours_stays_500(rf: RequestFactory) -> None:
    assert problems.unexpected(rf.post("/api/v1/m/x/tenders"), ValueError("ours")).status_code == 500
    try:
        raise ValueError("ours")
    except ValueError:
        assert errors.unexpected(rf.get("/")).status_code == 500
