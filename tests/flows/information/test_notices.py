"""Notices: told to each member once, in the member's own language, by letter after commit; read and unread."""

from __future__ import annotations

import json
import smtplib
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import translation
from procrastinate.testing import InMemoryConnector

from huangpu.core.errors import NotSignedIn
from huangpu.core.ids import uuid7
from huangpu.flows.information import acts, jobs, queries, sentences
from huangpu.flows.information.models import Notice
from huangpu.parties.actor import ANONYMOUS
from huangpu.parties.models import Membership, Person

from .conftest import NOW, Market

KIND = "information.webhook_failed"
PARAMS = {"url": "https://erp.example.com/", "kind": "tender.published"}


def tell(market: Market, *names: str, link: str = "/m/harbour/") -> int:
    return acts.notify(
        marketplace_id=market.marketplace.pk,
        organisation_ids=[market.organisations[name].pk for name in names],
        kind=KIND,
        params=PARAMS,
        link=link,
        now=NOW,
    )


def queued() -> list[list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args -> 'ids' FROM procrastinate_jobs WHERE task_name LIKE '%%mail_notices' ORDER BY id")
        return [json.loads(ids) if isinstance(ids, str) else ids for (ids,) in cursor.fetchall()]


def test_every_member_is_told_once_and_the_letters_are_a_job_of_the_same_transaction(market: Market) -> None:
    colleague = Person.objects.create(username="colleague", email="", password="!")
    Membership.objects.create(organisation=market.organisations["buyer"], person=colleague, roles=["clerk"])
    left = Person.objects.create(username="left", email="left@example.com", password="!")
    Membership.objects.create(organisation=market.organisations["buyer"], person=left, roles=["clerk"], ended_at=NOW)
    assert tell(market, "buyer", "seller", "buyer") == 3
    mailed = Notice.objects.filter(person_id__in=[market.people["buyer"].pk, market.people["seller"].pk])
    assert sorted(id for ids in queued() for id in ids) == sorted(str(notice.pk) for notice in mailed)
    assert not mail.outbox


def test_the_letter_is_in_the_readers_language_and_goes_out_once(market: Market) -> None:
    tell(market, "buyer", "seller")
    for ids in queued():
        jobs.mail_notices(ids=ids)
        jobs.mail_notices(ids=ids)  # at least once is not twice
    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert len(mail.outbox) == 2
    assert "have failed for a day" in letters["buyer@example.com"].subject
    assert "连续一天" in letters["seller@example.com"].subject
    assert letters["buyer@example.com"].body.strip().endswith("/m/harbour/")


def test_a_letter_that_cannot_be_sent_is_tried_again_without_sending_the_others_twice(
    market: Market, monkeypatch: Any
) -> None:
    tell(market, "buyer", "seller")
    send = jobs._send

    def sometimes(notice: Notice, to: Any) -> None:
        if notice.person_id == market.people["seller"].pk:
            raise smtplib.SMTPServerDisconnected("gone")
        send(notice, to)

    monkeypatch.setattr(jobs, "_send", sometimes)
    with pytest.raises(RuntimeError, match="1 of 2"):
        jobs.mail_notices(ids=queued()[0])
    monkeypatch.setattr(jobs, "_send", send)
    jobs.mail_notices(ids=queued()[0])
    assert sorted(letter.to[0] for letter in mail.outbox) == ["buyer@example.com", "seller@example.com"]


def test_a_notice_that_was_read_needs_no_letter(market: Market) -> None:
    tell(market, "buyer")
    acts.mark_notices(actor=market.actor("buyer"), ids=None, read=True, now=NOW)
    jobs.mail_notices(ids=queued()[0])
    assert not mail.outbox


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_tells_nobody(live_market: Market) -> None:
    from huangpu.core.db import act

    @act
    def failing() -> None:
        tell(live_market, "buyer")
        raise RuntimeError("the act failed")

    with pytest.raises(RuntimeError):
        failing()
    assert not Notice.objects.exists()
    assert queued() == []


@pytest.mark.django_db(transaction=True)
def test_a_job_that_tells_does_so_in_its_own_transaction(live_market: Market) -> None:
    """In a worker the queue's own connector is another one, which knows nothing of the act's transaction."""
    from huangpu.core.jobs import app

    workers = InMemoryConnector()
    with app.replace_connector(workers):
        with transaction.atomic():
            tell(live_market, "buyer")
            transaction.set_rollback(True)
        assert queued() == []
        tell(live_market, "buyer")
    assert len(queued()) == 1
    assert not workers.jobs


def test_read_and_unread_are_ones_own(market: Market) -> None:
    tell(market, "buyer", "seller")
    buyer, seller = market.actor("buyer"), market.actor("seller")
    theirs = Notice.objects.get(person_id=seller.person_id)
    assert acts.mark_notices(actor=buyer, ids=[theirs.pk], read=True, now=NOW) == 0
    assert acts.mark_notices(actor=buyer, ids=None, read=True, now=NOW) == 1
    assert (unread(buyer.person_id), unread(seller.person_id)) == (0, 1)
    own = Notice.objects.get(person_id=buyer.person_id)
    assert acts.mark_notices(actor=buyer, ids=[own.pk], read=False, now=NOW) == 1
    assert unread(buyer.person_id) == 1
    with pytest.raises(NotSignedIn):
        acts.mark_notices(actor=ANONYMOUS, ids=None, read=True, now=NOW)


def unread(person_id: UUID | None) -> int:
    assert person_id
    return queries.unread_count(person_id)


def test_parameters_are_written_for_the_reader() -> None:
    sentences.declare({"test.all": "%(who)s | %(sum)s | %(at)s | %(plain)s"})
    params = {
        "who": {"en": "Harbour", "zh-hans": "港口"},
        "sum": {"minor": 125000, "currency": "CNY"},
        "at": {"instant": "2026-11-23T02:00:00Z"},
        "plain": 7,
    }
    with translation.override("en"):
        english = sentences.sentence("test.all", params)
    with translation.override("zh-hans"):
        chinese = sentences.sentence("test.all", params)
    assert english.startswith("Harbour | CN¥1,250.00 | 23 Nov 2026, 10:00 |")
    assert chinese.startswith("港口 | ¥1,250.00 | 2026年11月23日 10:00 |")
    assert "room.gone" in sentences.sentence("room.gone", {})


@pytest.mark.parametrize("link", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"])
def test_a_notice_leads_to_an_address_of_ours_only(market: Market, link: str) -> None:
    with pytest.raises(ValueError):
        tell(market, "buyer", link=link)


def test_a_kind_without_a_sentence_is_an_error_of_ours(market: Market) -> None:
    with pytest.raises(ValueError, match=r"nobody\.declared"):
        acts.notify(
            marketplace_id=market.marketplace.pk,
            organisation_ids=[],
            kind="nobody.declared",
            params={},
            link="",
            now=NOW,
        )


def test_the_page_shows_marks_and_opens(market: Market, client: Any) -> None:
    tell(market, "buyer")
    client.force_login(market.people["buyer"])
    page = client.get("/notices/")
    assert page.status_code == 200
    assert "have failed for a day" in page.content.decode()
    notice = Notice.objects.get()
    opened = client.post("/notices/mark/", {"id": str(notice.pk), "open": "1", "idempotency_key": str(uuid7())})
    assert opened["Location"] == "/m/harbour/"
    notice.refresh_from_db()
    assert notice.read_at
    assert "information" not in client.get("/notices/?unread").content.decode().split("<main")[1].split("hp-empty")[0]
    chinese = client.get("/notices/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "连续一天" in chinese


def test_the_api_lists_ones_own_notices(market: Market) -> None:
    tell(market, "buyer", "seller")
    client = market.client("buyer")
    listed = client.get("/api/v1/notices", headers={"Accept-Language": "zh-hans"}).json()["items"]
    assert len(listed) == 1
    assert "连续一天" in listed[0]["sentence"]
    marked = client.post("/api/v1/notices/marks", {}, "application/json", headers={"Idempotency-Key": "m"})
    assert marked.json() == {"count": 1}
    assert client.get("/api/v1/notices?unread=true").json()["items"] == []
