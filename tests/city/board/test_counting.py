"""The board is what happened: against a naive recount of the tables, after crashes, counted anew, in any portion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from huangpu.city.board import acts, store, verify
from huangpu.city.board.models import Coverage, Day, Firm, IndustryDay, KnownTender
from huangpu.core.errors import Refused
from huangpu.core.log.models import Cursor, Event
from huangpu.core.names import named
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.process import acts as process
from huangpu.flows.process.models import Fulfilment
from huangpu.markets.tender import acts as tenders
from huangpu.markets.tender.models import Award, Bid, Line, Lot, Tender
from huangpu.parties import acts as parties
from huangpu.parties import gb32100
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Organisation
from huangpu.parties.rules import Facts

from .scripted import DAY, START, Script, begin, org, whole_story

pytestmark = pytest.mark.django_db(transaction=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(instant: datetime) -> date:
    return instant.astimezone(SHANGHAI).date()


def naive(script: Script) -> dict[date, Counter[str]]:
    """The figures from the rooms' own tables, without the log and without the board's code."""
    days: dict[date, Counter[str]] = {}

    def add(instant: datetime, name: str, amount: int) -> None:
        days.setdefault(local(instant), Counter())[name] += amount

    when = dict(Event.objects.values_list("id", "occurred_at"))
    for one in Agreement.objects.filter(marketplace=script.market):
        by_tender = Tender.objects.filter(pk=one.origin_id).exists()
        add(one.concluded_at, "agreements", 1)
        add(one.concluded_at, "agreed_minor", one.amount)
        add(one.concluded_at, "tendered", int(by_tender))
        add(one.concluded_at, "tendered_minor", one.amount if by_tender else 0)
    promises = {one.pk: one for one in Commitment.objects.filter(marketplace_id=script.market.id)}
    for done in Fulfilment.objects.filter(marketplace_id=script.market.id):
        promise, amount = promises[done.commitment_id], done.amount or 0
        names = {"release": "released_minor", "charge": "charged_minor", "refund": "refunded_minor"}
        if promise.action in names:
            add(when[done.event_id], names[promise.action], amount)
        if promise.action == "accept":
            exact = promise.amount * done.quantity / promise.quantity
            add(when[done.event_id], "accepted_minor", int(exact + Decimal("0.5")))
    for tender in Tender.objects.filter(marketplace_id=script.market.id, published_at__isnull=False):
        add(tender.published_at, "tenders", 1)
        if tender.opened_at:
            add(tender.opened_at, "bids", Bid.objects.filter(tender=tender).count())
        awards = Award.objects.filter(tender=tender, status="concluded")
        if awards and tender.budget_minor is not None:
            add(tender.closed_at, "baseline_minor", tender.budget_minor)
            add(tender.closed_at, "final_minor", sum(award.amount_minor for award in awards))
    return days


NAMES = (
    "agreements", "agreed_minor", "tendered", "tendered_minor", "accepted_minor", "released_minor", "charged_minor",
    "refunded_minor", "tenders", "bids", "baseline_minor", "final_minor",
)  # fmt: skip


def board(names: Iterable[str] = NAMES) -> dict[date, dict[str, int]]:
    """What the board says, without days of which none of these is counted."""
    found = {one.day: {name: getattr(one, name) for name in names if getattr(one, name)} for one in Day.objects.all()}
    return {day: told for day, told in found.items() if told}


def everything() -> list[list[dict[str, Any]]]:
    tables = (Day, IndustryDay, Firm, KnownTender, Coverage)
    return [sorted((dict(row, id=None) for row in table.objects.values()), key=str) for table in tables]


def test_the_board_equals_a_naive_recount() -> None:
    script = begin()
    whole_story(script)
    acts.catch_up()
    expected = {day: {name: told[name] for name in NAMES if told[name]} for day, told in naive(script).items()}
    assert board() == {day: told for day, told in expected.items() if told}
    assert sum(told.get("refunded_minor", 0) for told in board().values()) == 30_000
    assert [check for check in verify.checks() if not check.ok] == []


def test_an_agreement_after_sixteen_hours_utc_belongs_to_the_next_day_in_shanghai() -> None:
    script = begin()
    script.sale(0, 0, datetime.fromisoformat("2026-10-31T15:59:59+00:00"), 7)
    script.sale(0, 0, datetime.fromisoformat("2026-10-31T16:00:00+00:00"), 11)
    acts.catch_up()
    assert board(["agreed_minor"]) == {date(2026, 10, 31): {"agreed_minor": 7}, date(2026, 11, 1): {"agreed_minor": 11}}


def test_a_subscriber_that_dies_in_the_middle_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    script = begin()
    whole_story(script)
    monkeypatch.setattr(acts, "BATCH_MAX", 10)
    add, calls = store.add, []

    def dying(market: Any, tally: Any) -> None:
        add(market, tally)
        calls.append(market.id)
        if len(calls) in (2, 3):
            raise KeyboardInterrupt

    monkeypatch.setattr(store, "add", dying)
    for _kill in range(2):
        with pytest.raises(KeyboardInterrupt):
            acts.catch_up()
    acts.catch_up()
    assert len(calls) > 4
    assert acts.catch_up() == 0
    by_portions = everything()
    assert [check for check in verify.checks() if not check.ok] == []
    monkeypatch.undo()
    acts.rebuild(actor=SYSTEM, now=START)
    assert not Day.objects.exists()
    acts.catch_up()
    assert everything() == by_portions


def test_verify_finds_a_figure_that_was_changed() -> None:
    script = begin()
    script.sale(0, 1, START, 500)
    acts.catch_up()
    Day.objects.update(agreed_minor=501)
    wrong = [check for check in verify.checks() if not check.ok]
    assert [check.name for check in wrong] == ["board: figures are what the log says"]
    assert "agreed_minor is 501, by the log 500" in wrong[0].detail


def test_a_saving_that_did_not_come_is_taken_back_on_the_day_it_is_known() -> None:
    script = begin()
    tender = script.tender(0, START, "90", budget=70_000)
    award = Award.objects.get(tender=tender)
    unpaid = award.standstill_until + 30 * DAY
    process.lapse(agreement_id=award.agreement_id, ordinal=1, now=unpaid)
    process.resolve(actor=script.sellers[0], agreement_id=award.agreement_id, option="withdraw_unpaid", now=unpaid)
    tenders.pass_on(actor=script.buyers[0], award_id=award.id, reason="left", now=unpaid)
    acts.catch_up()
    told = board(["baseline_minor", "final_minor"])
    assert told[local(award.standstill_until)] == {"baseline_minor": 70_000, "final_minor": 63_000}
    assert told[local(unpaid)] == {"baseline_minor": -70_000, "final_minor": -63_000}


def test_bids_are_counted_when_they_are_opened_and_not_before() -> None:
    script = begin()
    tender = script.tender(0, START, None, budget=None)
    lot = Lot.objects.get(tender=tender)
    prices = {line.id: Decimal(9) for line in Line.objects.filter(lot=lot)}
    tenders.submit_bid(actor=script.sellers[0], tender_id=tender.id, lot_id=lot.id, prices=prices, now=START + DAY)
    acts.catch_up()
    assert sum(one.bids for one in Day.objects.all()) == 0
    tenders.open_bids(actor=script.buyers[0], tender_id=tender.id, now=START + 2 * DAY)
    acts.catch_up()
    assert board(["bids"]) == {local(START + 2 * DAY): {"bids": 1}}


def test_coverage_counts_registered_organisations_and_those_that_have_traded() -> None:
    script = begin()
    for _firm in range(4):
        code = gb32100.make(Random(_firm), division="310113", authority="9", category="1")
        facts = Facts(name=named("厂", "Works"), identifiers=(("CN-USCC", code),), industry="steel")
        made = parties.register_organisation(actor=SYSTEM, facts=facts, now=START)
        if _firm == 0:
            script.buyers[0] = Actor(script.buyers[0].person_id, made.id, script.market.id, frozenset({"owner"}))
    script.sale(0, 1, START, 10)
    script.sale(0, 2, START, 10)
    acts.catch_up()
    assert list(Coverage.objects.values_list("industry", "organisations", "trading")) == [("steel", 4, 1)]
    moved = Organisation.objects.get(pk=org(script.buyers[0]))
    edited = Facts(name=moved.name, industry="equipment")
    parties.edit_organisation(actor=SYSTEM, organisation_id=moved.id, facts=edited, now=START)
    acts.catch_up()
    shown = {one.industry: (one.organisations, one.trading) for one in Coverage.objects.all()}
    assert shown == {"steel": (3, 0), "equipment": (1, 1)}
    assert [check for check in verify.checks() if not check.ok] == []


def test_only_the_city_counts_its_figures_anew() -> None:
    script = begin()
    with pytest.raises(Refused):
        acts.rebuild(actor=script.buyers[0], now=START)
    acts.rebuild(actor=Actor(None, None, None, city_roles=frozenset({"statistician"})), now=START)
    assert Event.objects.filter(kind="board.rebuilt").count() == 1
    assert not Cursor.objects.filter(subscriber="board").exclude(position=0).exists()


def test_a_page_waits_for_the_worker_before_it_counts_by_itself() -> None:
    script = begin()
    script.sale(0, 1, START, 500)
    assert acts.catch_up(since=acts.PATIENCE) == 0
    assert acts.catch_up(since=timedelta()) > 0
