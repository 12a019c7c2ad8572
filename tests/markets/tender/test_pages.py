"""Every page answers to whom it is for, at every stage; a wrong form says what is wrong beside the field."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.markets.tender import acts
from huangpu.markets.tender.models import Award, Bid, Line, Lot, Tender
from huangpu.parties.actor import Actor
from huangpu.parties.models import Person

from .conftest import DEADLINE, START, World


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(clock, "now", lambda: START)
    return lambda instant: monkeypatch.setattr(clock, "now", lambda: instant)


def browser(actor: Actor | None) -> Client:
    client = Client()
    if actor is not None:
        person = Person.objects.get(pk=actor.person_id)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, address: str, data: dict[str, Any], status: int = 302) -> Any:
    answer = client.post(address, {**data, "idempotency_key": uuid7().hex})
    assert answer.status_code == status, (address, answer.content.decode()[:3000])
    return answer


FORM = {
    "title_zh": "减速机",
    "title_en": "Reducers",
    "procedure": "open",
    "currency": "CNY",
    "budget": "50000",
    "bids_until": "2026-11-26T10:00",
    "standstill_days": "1",
    "deliver_within_days": "30",
    "inspect_within_days": "7",
    "pay_within_days": "3",
    "lot_title": ["", "备件"],
    "lot_budget": ["", ""],
    "line_lot": ["0", "0", "1"],
    "line_name": ["减速机", "润滑油", "齿轮"],
    "line_quantity": ["12", "2.5", "40"],
    "line_unit": ["C62", "TNE", "C62"],
    "criterion_name": ["质量"],
    "criterion_weight": ["30"],
    "criterion_best": ["100"],
    "allow_single": "on",
}


def test_a_person_clicks_from_a_new_tender_to_the_award(world: World, at: Any) -> None:
    base = f"/m/{world.marketplace.slug}/tenders/"
    buyer, approver = browser(world.buyer), browser(world.approver)
    made = send(buyer, f"{base}new/", FORM)
    tender = Tender.objects.get()
    address = f"{base}{tender.number}/"
    assert made["Location"] == address
    assert [lot.lines.count() for lot in Lot.objects.order_by("number")] == [2, 1]
    assert tender.bids_until == DEADLINE
    assert tender.budget_minor == 5_000_000
    send(buyer, f"{address}do/publish/", {})
    suppliers = [browser(who) for who in world.suppliers[:2]]
    send(suppliers[0], f"{address}do/ask/", {"text": "齿数？"})
    question = tender.questions.get()
    send(buyer, f"{address}do/answer/", {"question": question.id, "text": "24"})
    for supplier, price in zip(suppliers, ("100.5", "99"), strict=True):
        lot = Lot.objects.get(number=1)
        prices = {f"price.{line.id}": price for line in Line.objects.filter(lot=lot)}
        assert supplier.get(f"{address}lots/1/bid/").status_code == 200
        answer = send(supplier, f"{address}lots/1/bid/", prices)
        assert answer["Location"] == f"{address}#my-bids"
        assert "sealed" in supplier.get(address).content.decode().lower()
    at(DEADLINE)
    send(buyer, f"{address}do/open/", {})
    page = buyer.get(f"{address}evaluation/").content.decode()
    fields = re.findall(r'name="(points\.[^"]+)"', page)
    assert len(fields) == 2
    send(buyer, f"{address}points/", dict(zip(fields, ("90", "60"), strict=True)))
    send(buyer, f"{address}do/evaluate/", {})
    assert approver.get(f"{address}evaluation/").status_code == 200
    send(approver, f"{address}do/award/", {"lot": Lot.objects.get(number=1).id})
    assert Award.objects.get().supplier_id == world.suppliers[0].organisation_id
    send(suppliers[1], f"{address}do/complain/", {"lot": Lot.objects.get(number=1).id, "text": "不公"})
    arbiter = browser(world.arbiter)
    page = arbiter.get(address).content.decode()
    (complaint,) = re.findall(r'name="complaint" value="([^"]+)"', page)
    send(arbiter, f"{address}do/decide/", {"complaint": complaint, "upheld": "no", "decision": "无据"})
    at(Award.objects.get().standstill_until + timedelta(seconds=1))
    send(buyer, f"{address}do/conclude/", {})
    assert Award.objects.get().agreement_id is not None
    for reader in (buyer, approver, *suppliers, browser(None), arbiter):
        for language in ("en", "zh-hans"):
            reader.cookies["django_language"] = language
            assert reader.get(address).status_code == 200
            assert reader.get(base, {"q": "减速机", "sort": "deadline"}).status_code == 200


def test_a_wrong_form_says_so_beside_the_field_and_keeps_what_was_typed(world: World, at: Any) -> None:  # noqa: ARG001
    wrong = {**FORM, "title_zh": "", "title_en": "", "line_quantity": ["12", "x", "0"], "budget": "1.234"}
    page = send(browser(world.buyer), f"/m/{world.marketplace.slug}/tenders/new/", wrong, 422).content.decode()
    assert page.count('aria-invalid="true"') == 2  # what cannot be read: the budget and one quantity
    assert 'value="润滑油"' in page
    wrong |= {"budget": "1", "line_quantity": ["12", "0", "1"]}
    page = send(browser(world.buyer), f"/m/{world.marketplace.slug}/tenders/new/", wrong, 422).content.decode()
    assert page.count('aria-invalid="true"') == 2  # the title and a quantity of nothing
    assert not Tender.objects.exists()


def test_rows_are_added_and_removed_without_scripts(world: World, at: Any) -> None:  # noqa: ARG001
    client, address = browser(world.buyer), f"/m/{world.marketplace.slug}/tenders/new/"
    for rows, lots, lines in (("more:line:0", 2, 4), ("less:line:0:1", 2, 2), ("more:lot", 3, 4), ("less:lot:0", 1, 1)):
        page = send(client, address, {**FORM, "rows": rows}, 200).content.decode()
        assert (page.count('name="lot_names"'), page.count('name="line_name"')) == (lots, lines), rows
    assert not Tender.objects.exists()


def test_editing_keeps_the_other_language(world: World, at: Any) -> None:  # noqa: ARG001
    tender = world.plan()
    client, address = browser(world.buyer), f"/m/{world.marketplace.slug}/tenders/{tender.number}/edit/"
    page = client.get(address).content.decode()
    names = [text.replace("&quot;", '"') for text in re.findall(r'name="line_names" value="([^"]*)"', page)]
    form = {**FORM, "line_names": [*names, "{}"], "line_name": ["Gear unit", "润滑油", "齿轮"], "version": "1"}
    send(client, address, form)
    line = Line.objects.get(lot__tender=tender, lot__number=1, number=1)
    assert line.name == {"zh-hans": "齿轮箱", "en": "Gear unit"}
    raced = send(client, address, form, 422).content.decode()
    assert "meanwhile" in raced


def test_a_bid_that_is_wrong_is_shown_again_and_not_stored(world: World, at: Any) -> None:  # noqa: ARG001
    tender = world.published()
    client, address = browser(world.suppliers[0]), f"/m/{world.marketplace.slug}/tenders/{tender.number}/lots/1/bid/"
    first, second = Line.objects.filter(lot__tender=tender).order_by("number")
    page = send(client, address, {f"price.{first.id}": "12.5", f"price.{second.id}": "-1"}, 422).content.decode()
    assert 'value="12.5"' in page
    assert page.count('aria-invalid="true"') == 1
    assert not Bid.objects.exists()


@pytest.mark.parametrize("stage", ["draft", "open", "evaluation", "standstill", "cancelled", "unsuccessful"])
def test_every_stage_has_its_page_for_every_reader(world: World, at: Any, stage: str) -> None:
    made = {
        "draft": world.plan,
        "open": world.published,
        "evaluation": lambda: world.opened("10", "11"),
        "standstill": lambda: world.awarded("10", "11"),
        "cancelled": lambda: acts.cancel(
            actor=world.buyer, tender_id=world.published().id, reason="No money", now=START
        ),
        "unsuccessful": world.opened,
    }
    tender = made[stage]()
    assert tender.stage == stage
    at(DEADLINE)
    address = f"/m/{world.marketplace.slug}/tenders/{tender.number}/"
    for actor in (world.buyer, world.auditor, world.suppliers[0], world.neighbour, world.regulator, None):
        seen = stage != "draft" or (actor is not None and actor.organisation_id == world.buyer.organisation_id)
        assert browser(actor).get(address).status_code == (200 if seen else 404)
    assert browser(world.suppliers[0]).get(f"{address}evaluation/").status_code in (403, 404)
    assert browser(world.neighbour).get(f"{address}edit/").status_code in (403, 404)


def test_a_refusal_is_told_in_words_where_it_happened(world: World, at: Any) -> None:
    tender = world.published()
    at(DEADLINE)
    address = f"/m/{world.marketplace.slug}/tenders/{tender.number}/"
    page = send(browser(world.suppliers[0]), f"{address}do/ask/", {"text": "?"}, 422).content.decode()
    assert "The time for questions ended" in page
