"""Notices of trades: who is told, once, in commit order, in their language; what a killed worker had begun is undone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import translation

from huangpu.core.log import sequencer
from huangpu.core.log.models import Event
from huangpu.core.names import named
from huangpu.flows.commerce.models import Commitment
from huangpu.flows.information import jobs
from huangpu.flows.information.models import Notice
from huangpu.flows.information.sentences import sentence
from huangpu.flows.process import acts, amendments, deadlines, documents, notices
from huangpu.flows.process.amending import Change
from huangpu.flows.process.documents import Given
from huangpu.flows.process.jobs import tell_of_trades
from huangpu.parties.models import Membership, Person

from .test_documents import NOW, Street, build


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def street(transactional_db: None) -> Street:  # noqa: ARG001
    """Transactions really commit: the log gives positions only to what has."""
    made = build()
    notices.catch_up()
    Notice.objects.all().delete()
    return made


def told(street: Street) -> list[tuple[str, str]]:
    """Who has been told what since the last time, in order."""
    notices.catch_up()
    names = {person.pk: name for name, person in street.people.items()}
    found = [(names.get(one.person_id, "?"), one.kind) for one in Notice.objects.order_by("id")]
    Notice.objects.all().delete()
    return found


def use(street: Street, name: str, option: str, **more: Any) -> None:
    acts.resolve(
        actor=street.actor(name),
        agreement_id=street.trade.id,
        option=option,
        now=more.pop("now", NOW),
        reason="Rust",
        **more,
    )


def test_each_act_is_told_to_the_other_side_and_never_to_who_did_it(street: Street) -> None:
    street.perform("seller", "deliver")
    assert told(street) == [("buyer", "trade.delivered")]
    street.perform("buyer", "accept")
    assert told(street) == [("seller", "trade.accepted_released")]
    street.perform("seller", "invoice", number="RE-7")
    assert told(street) == [("buyer", "trade.invoiced")]
    assert told(street) == []  # nothing twice


def test_concluded_and_held(transactional_db: None) -> None:  # noqa: ARG001
    street = build()
    assert sorted(told(street)) == [
        ("buyer", "trade.concluded"), ("seller", "trade.concluded"), ("seller", "trade.held"),
    ]  # fmt: skip


def test_rejections_disputes_decisions_and_documents_are_told(street: Street) -> None:
    street.perform("seller", "deliver")
    told(street)
    use(street, "buyer", "reject/1")
    assert told(street) == [("seller", "trade.rejected")]
    use(street, "seller", "dispute")
    assert told(street) == [("buyer", "trade.disputed")]
    report = street.stored("buyer")
    documents.attach(actor=street.actor("buyer"), agreement_id=street.trade.id, documents=[Given(report.pk)], now=NOW)
    assert told(street) == [("seller", "trade.document_added")]


def test_an_amendment_is_told_until_it_is_signed(street: Street) -> None:
    line = Change(quantity=Decimal(1), amount=100, unit="C62", name=named("螺栓", "Bolts"))
    for last in (amendments.decline_amendment, amendments.sign_amendment):
        made = amendments.propose_amendment(
            actor=street.actor("seller"), agreement_id=street.trade.id, changes=[line], now=NOW
        )
        assert told(street) == [("buyer", "trade.amendment_proposed")]
        last(actor=street.actor("buyer"), amendment_id=made.pk, now=NOW)
        end = "trade.amended" if last is amendments.sign_amendment else "trade.amendment_declined"
        assert told(street) == [("seller", end)]


def test_what_nobody_did_in_time_is_told_to_both(street: Street) -> None:
    late = Commitment.objects.get(agreement_id=street.trade.id, action="deliver").due_at
    assert late
    deadlines.sweep(late + timedelta(seconds=1))
    assert sorted(told(street)) == [("buyer", "trade.late"), ("seller", "trade.late")]
    street.perform("seller", "deliver")
    told(street)
    due = Commitment.objects.get(agreement_id=street.trade.id, action="accept").due_at
    assert due
    deadlines.sweep(due + timedelta(seconds=1))
    assert ("seller", "trade.deemed_released") in told(street)


def test_many_lines_that_are_late_at_once_are_one_notice(transactional_db: None) -> None:  # noqa: ARG001
    street = build(count=3)
    told(street)
    late = Commitment.objects.filter(agreement_id=street.trade.id, action="deliver").latest("due_at").due_at
    assert late
    assert deadlines.sweep(late + timedelta(seconds=1)) == 3
    assert sorted(told(street)) == [("buyer", "trade.late"), ("seller", "trade.late")]
    street.perform("seller", "deliver")
    told(street)
    due = Commitment.objects.filter(agreement_id=street.trade.id, action="accept").latest("due_at").due_at
    assert due
    deadlines.sweep(due + timedelta(seconds=1))
    notices.catch_up()
    (deemed,) = Notice.objects.filter(kind="trade.deemed_released", person_id=street.people["seller"].pk)
    assert deemed.params["amount"] == {"minor": 99_999 - 500, "currency": "CNY"}  # of all three lines, less the fee


def test_the_sentence_is_in_the_readers_language_and_leads_to_the_event(street: Street) -> None:
    street.perform("seller", "deliver")
    notices.catch_up()
    notice = Notice.objects.get()
    event = Event.objects.get(kind="goods.delivered")
    assert notice.link == f"{street.page}#event-{event.pk}"
    assert notice.created_at == NOW
    with translation.override("en"):
        assert sentence(notice.kind, notice.params) == f"seller Ltd delivered for {street.trade.number} “Steel plate”."
    with translation.override("zh-hans"):
        assert sentence(notice.kind, notice.params) == f"seller公司已就 {street.trade.number}“钢板”交货。"


def test_every_sentence_takes_its_parameters(street: Street) -> None:
    street.perform("seller", "deliver")
    notices.catch_up()
    params = Notice.objects.get().params
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for kind in notices.SENTENCES:
                assert street.trade.number in sentence(kind, params)


def test_a_letter_goes_out_once(street: Street) -> None:
    street.perform("seller", "deliver")
    tell_of_trades(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args -> 'ids' ->> 0 FROM procrastinate_jobs WHERE task_name LIKE '%%mail_notices' ORDER BY id"
        )
        waiting = [id for (id,) in cursor.fetchall()]
    mine = str(Notice.objects.get().pk)
    assert waiting.count(mine) == 1
    jobs.mail_notices(ids=[mine])
    jobs.mail_notices(ids=[mine])
    assert [letter.to for letter in mail.outbox] == [["buyer@example.com"]]
    assert "交货" in mail.outbox[0].subject  # the marketplace speaks Chinese, and the reader has chosen nothing else


def test_who_belongs_to_both_sides_is_told_once(street: Street) -> None:
    both = Person.objects.create_user("both", "both@example.com", None)
    for name in ("buyer", "seller"):
        Membership.objects.create(organisation=street.organisations[name], person=both, roles=["clerk"])
    street.perform("seller", "deliver")
    notices.catch_up()
    assert Counter(Notice.objects.values_list("person_id", flat=True)) == {both.pk: 1, street.people["buyer"].pk: 1}


def test_the_neighbour_and_the_operator_are_told_nothing_of_a_trade_that_goes_well(street: Street) -> None:
    clerk = Person.objects.create_user("operator", "operator@example.com", None)
    Membership.objects.create(organisation=street.market.operator, person=clerk, roles=["owner"])
    street.perform("seller", "deliver")
    assert told(street) == [("buyer", "trade.delivered")]
    use(street, "buyer", "dispute")
    assert sorted(told(street)) == [("?", "trade.disputed"), ("seller", "trade.disputed")]


def test_nothing_is_lost_between_and_nothing_told_before_it_is_committed(street: Street) -> None:
    """One act is under way while another commits: the reader waits, and then tells both, in order."""
    with transaction.atomic():
        street.perform("seller", "deliver")
        with psycopg.connect(**connection.get_connection_params()) as reader:
            seen = reader.execute("SELECT count(*) FROM log_event WHERE kind = 'goods.delivered'").fetchone()
            assert seen == (0,)
        transaction.set_rollback(True)
    assert told(street) == []
    street.perform("seller", "deliver")
    street.perform("buyer", "accept")
    assert told(street) == [("buyer", "trade.delivered"), ("seller", "trade.accepted_released")]


def test_a_batch_that_fails_has_told_nobody_and_is_told_anew(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    street.perform("seller", "deliver")
    told_before = notices.notify_all

    def failing(news: Any) -> None:
        told_before(news)
        raise RuntimeError("the worker failed")

    monkeypatch.setattr(notices, "notify_all", failing)
    with pytest.raises(RuntimeError):
        notices.catch_up()
    assert not Notice.objects.exists()
    monkeypatch.setattr(notices, "notify_all", told_before)
    assert told(street) == [("buyer", "trade.delivered")]


def test_reading_from_the_beginning_again_tells_nobody_twice(street: Street) -> None:
    street.perform("seller", "deliver")
    notices.catch_up()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE log_cursor SET position = 0 WHERE subscriber = 'trade_notices'")
    notices.catch_up()
    assert Notice.objects.filter(kind="trade.delivered").count() == 1


WORKER = """
import os, django
django.setup()
from huangpu.flows.process import notices
print("ready", flush=True)
notices.catch_up()
print("done", flush=True)
"""


def test_a_worker_that_is_killed_while_it_tells_has_told_nothing_and_the_next_tells_once(street: Street) -> None:
    """A lock of ours stops the worker in the middle: it has read the log and is about to write the notices."""
    street.perform("seller", "deliver")
    street.perform("buyer", "accept")
    given = connection.settings_dict
    url = f"postgresql://{given['USER']}@/{given['NAME']}?host={given['HOST']}"
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "huangpu.settings"}
    with psycopg.connect(**connection.get_connection_params()) as holder:
        holder.execute("LOCK TABLE information_notice IN SHARE MODE")
        worker = subprocess.Popen([sys.executable, "-c", WORKER], env=env, stdout=subprocess.PIPE, text=True)
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        while not waits_for_a_lock():
            assert worker.poll() is None, "it ended before it could be killed"
            os.sched_yield()
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
        holder.rollback()
    assert not Notice.objects.exists()
    assert told(street) == [("buyer", "trade.delivered"), ("seller", "trade.accepted_released")]


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE NOT l.granted AND c.relname = 'information_notice'"
        )
        return cursor.fetchone() is not None


def test_one_statement_when_nothing_is_new(street: Street, django_assert_num_queries: Any) -> None:
    notices.catch_up()
    assert sequencer.behind(notices.SUBSCRIBER) == []
    del street
    with django_assert_num_queries(1):
        notices.catch_up()
