"""What a provider tells by itself: only signed, only about its own operations, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from huangpu.channels.simulators.setting_up import set_up
from huangpu.core.ids import uuid7
from huangpu.flows.funds import queries
from huangpu.parties.actor import Actor
from huangpu.payments.gateway import configured, over_http, provider, wire
from huangpu.payments.gateway.provider import Answer
from huangpu.payments.operations import acts, notifications
from huangpu.payments.operations.acts import Wish
from huangpu.payments.operations.models import Notification, Operation
from tests.at_once import at_once
from tests.waiting_jobs import run_jobs

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def just_now() -> datetime:
    """A signature is good for five minutes by the real clock: the time at which this module was imported may be older."""
    return datetime.now(UTC)


@pytest.fixture
def purchase(tmp_path: Path, settings: Any) -> Iterator[UUID]:
    """An operation that waits for its payer at Pujiang Bank."""
    settings.HUANGPU = replace(settings.HUANGPU, data=tmp_path)
    set_up(tmp_path, "http://127.0.0.1:9")
    known = dict(provider._known)
    configured.register_all(tmp_path)
    shop = Actor(uuid7(), uuid7(), roles=frozenset({"finance"}))
    payment = acts.open_payment(actor=shop, marketplace_id=uuid7(), amount=900, currency="CNY", channel="web",
                                provider="pujiang", reference="A", now=NOW)  # fmt: skip
    yield acts.ask(actor=shop, payment_id=payment, wish=Wish("purchase", 900, uuid7()), now=NOW)
    provider._known.clear()
    provider._known.update(known)


def told(bank: str, body: bytes, id: str = "note_1", at: datetime | None = None, by: str = "") -> Any:
    secret = over_http.secret_of(by or bank)
    assert secret is not None
    headers = wire.signed(secret, id, body, at or just_now())
    return Client().post(f"/payments/notifications/{bank}/", body, "application/json", headers=headers)


def said(operation: UUID, amount: int = 900) -> bytes:
    return wire.written_answer(Answer(operation, "succeeded", amount, "CNY", "R-1"))


def test_what_was_told_is_taken_in_once(purchase: UUID) -> None:
    for _time in range(3):
        assert told("pujiang", said(purchase)).status_code == 204
    assert run_jobs().count("huangpu.payments.operations.jobs.take_notification") == 1
    operation = Operation.objects.get(pk=purchase)
    assert (operation.state, operation.reference) == ("succeeded", "R-1")
    note = Notification.objects.get()
    assert note.outcome == notifications.take(notification_id=note.pk, now=NOW) == "succeeded"
    assert operation.told.count() == 1


def test_a_notification_that_no_job_took_is_found_again(purchase: UUID) -> None:
    told("pujiang", said(purchase))
    assert notifications.left_over() == [Notification.objects.get().pk]
    run_jobs()
    assert notifications.left_over() == []


def test_nobody_tells_of_anothers_operation(purchase: UUID) -> None:
    assert told("waitan", said(purchase)).status_code == 204
    run_jobs()
    assert Notification.objects.get().outcome == "not_theirs"
    assert Operation.objects.get(pk=purchase).state == "asked"


def test_another_amount_is_not_believed(purchase: UUID) -> None:
    told("pujiang", said(purchase, 90_000))
    run_jobs()
    operation = Operation.objects.get(pk=purchase)
    assert operation.state == "unknown"
    assert queries.wallet(operation.marketplace_id, operation.holder_id, "CNY").posted == 0


@pytest.mark.parametrize(
    ("body", "outcome"), [(b"[]", "unreadable"), (b"{}", "unreadable"), (said(uuid7()), "unknown")]
)
@pytest.mark.usefixtures("purchase")
def test_what_cannot_be_read_or_is_unknown_is_kept(body: bytes, outcome: str) -> None:
    assert told("pujiang", body).status_code == 204
    run_jobs()
    assert Notification.objects.get().outcome == outcome


@pytest.mark.usefixtures("purchase")
def test_what_is_not_signed_is_refused() -> None:
    body = said(uuid7())
    refused = told("pujiang", body, by="waitan")
    assert (refused.status_code, refused.json()["code"]) == (403, "notification.not_signed")
    old = told("pujiang", body, at=just_now() - timedelta(minutes=6))
    assert old.json()["code"] == "notification.not_signed"
    assert Client().post("/payments/notifications/pujiang/", body, "application/json").status_code == 403
    assert Client().post("/payments/notifications/nobody/", body, "application/json").status_code == 404
    assert Client().post("/payments/notifications/pujiang/", {"a": "b"}).status_code == 415
    assert Client().get("/payments/notifications/pujiang/").status_code == 405
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_told_twice_at_once_it_is_one(purchase: UUID) -> None:
    answers = at_once(*[lambda: told("pujiang", said(purchase)).status_code] * 4)
    assert answers == [204] * 4
    assert Notification.objects.count() == 1
