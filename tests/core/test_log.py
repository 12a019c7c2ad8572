"""The event log: written in the act's transaction, read gap-free in commit order, hashed for proof."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from django.db import connection, transaction

from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.core.log.record import NewEvent, leaf_hash, payload_hash, record
from huangpu.core.log.sequencer import consume, read

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def event(marketplace: UUID, number: int, **more: Any) -> NewEvent:
    return NewEvent(
        kind="test.happened",
        marketplace_id=marketplace,
        subject_type="test",
        subject_id=uuid7(),
        occurred_at=NOW,
        payload={"number": number, "name": "黄浦"},
        **more,
    )


@pytest.mark.django_db(transaction=True)
def test_positions_are_dense_and_a_marketplace_each() -> None:
    one, two = uuid7(), uuid7()
    for number in range(5):
        record([event(one, number), event(two, number)])
    assert [item.position for item in read(one)] == [1, 2, 3, 4, 5]
    assert [item.payload and item.payload["number"] for item in read(two, after=2)] == [2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_a_reader_waits_for_a_slow_writer_instead_of_skipping_it() -> None:
    market = uuid7()
    slow_wrote, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        from django.db import connection as own

        with transaction.atomic():
            record([event(market, 1)])
            slow_wrote.set()
            may_commit.wait(20)
        own.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert slow_wrote.wait(20)
    record([event(market, 2)])  # committed while the first is still open
    assert read(market) == []
    may_commit.set()
    thread.join()
    assert [item.payload and item.payload["number"] for item in read(market)] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_subscriber_moves_with_what_its_handler_writes() -> None:
    market, seen = uuid7(), []
    record([event(market, number) for number in range(3)])

    def broken(_: Any) -> None:
        raise RuntimeError("the handler died")

    with pytest.raises(RuntimeError):
        consume("test", market, broken)
    assert consume("test", market, lambda events: seen.extend(item.position for item in events)) == 3
    assert consume("test", market, lambda events: seen.extend(item.position for item in events)) == 0
    assert seen == [1, 2, 3]


@pytest.mark.django_db
def test_the_leaf_commits_to_header_and_salted_payload() -> None:
    written = event(uuid7(), 7, organisation_id=uuid7(), audience=(uuid7(), uuid7()))
    record([written])
    header, body = Event.objects.get(pk=written.id), Payload.objects.get(pk=written.id)
    assert bytes(header.payload_hash) == hashlib.sha256(bytes(body.salt) + rfc8785.dumps(body.body)).digest()
    assert bytes(header.payload_hash) == payload_hash(bytes(body.salt), written.payload)
    assert bytes(header.leaf) == leaf_hash(written, bytes(header.payload_hash))
    assert tuple(header.audience) == written.audience
    assert len(body.salt) == 16


@pytest.mark.django_db
def test_any_number_of_events_is_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        record([event(uuid7(), number) for number in range(50)])


@pytest.mark.django_db
def test_an_event_lies_in_the_partition_of_its_month() -> None:
    from huangpu.core.partition import ensure_partitions

    ensure_partitions(datetime.now(UTC))
    written = event(uuid7(), 1)
    record([written])
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM log_event WHERE id = %s", [written.id])
        assert cursor.fetchone() == (f"log_event_{datetime.now(UTC):%Y%m}",)
