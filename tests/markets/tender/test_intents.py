"""While it is open for bids, a tender is its buyer's request in the market, and one list shows what all markets look for."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.test import Client

from huangpu.core import clock
from huangpu.core.db import execute
from huangpu.core.ids import uuid7
from huangpu.flows.commerce import acts as commerce
from huangpu.flows.commerce.models import Intent
from huangpu.flows.commerce.queries import closing_first, open_intents
from huangpu.markets.tender import acts, jobs, verify
from huangpu.markets.tender.models import Tender

from .conftest import DEADLINE, START, World

FILL = import_module("huangpu.markets.tender.migrations.0005_intents").FILL


def intent(tender: Tender) -> Intent:
    return Intent.objects.get(market="tender", subject_id=tender.id)


def consistent() -> bool:
    return all(check.ok for check in verify.checks())


def test_a_draft_looks_for_nobody_and_a_published_tender_does(world: World) -> None:
    draft = world.plan()
    assert not Intent.objects.exists()
    tender = acts.publish(actor=world.buyer, tender_id=draft.id, now=START)
    made = intent(tender)
    assert (made.kind, made.organisation_id, made.number, made.valid_until) == (
        "request", tender.buyer_id, tender.number, tender.bids_until,
    )  # fmt: skip
    assert made.link == f"/m/{world.marketplace.slug}/tenders/{tender.number}/"
    assert (made.name, made.amount, made.currency) == (tender.title, tender.budget_minor, "CNY")
    assert list(open_intents(START)) == [made]
    assert consistent()


def test_its_time_follows_the_tenders(world: World) -> None:
    tender = world.published()
    later = DEADLINE + timedelta(days=2)
    acts.amend(actor=world.buyer, tender_id=tender.id, now=START, bids_until=later)
    assert intent(tender).valid_until == later
    assert open_intents(DEADLINE + timedelta(days=1)).exists()
    assert not open_intents(later).exists()  # nobody can answer it, though no sweep has come by yet
    assert consistent()


@pytest.mark.parametrize("bids", [(), ("10",), ("10", "11")])
def test_with_the_end_of_the_bids_it_looks_for_nobody(world: World, bids: tuple[str, ...]) -> None:
    tender = world.opened(*bids)
    assert intent(tender).closed_at == DEADLINE
    assert not open_intents(START).exists()
    assert consistent()


def test_a_sweep_closes_it_too(world: World) -> None:
    tender = world.published()
    jobs.sweep(now=DEADLINE + timedelta(hours=1))
    assert Tender.objects.get(pk=tender.pk).stage != "open"
    assert intent(tender).closed_at is not None
    assert consistent()


def test_a_cancelled_tender_closes_it_and_a_cancelled_draft_has_none(world: World) -> None:
    tender, draft = world.published(), world.plan()
    for one in (tender, draft):
        acts.cancel(actor=world.buyer, tender_id=one.id, reason="no money", now=START)
    assert intent(tender).closed_at == START
    assert Intent.objects.count() == 1
    assert consistent()


def test_tenders_of_before_get_theirs_by_the_migration(world: World) -> None:
    tender, _draft = world.published(), world.plan()
    expected = Intent.objects.values("number", "name", "link", "amount", "valid_until", "kind", "organisation_id").get()
    Intent.objects.all().delete()
    execute(FILL)
    execute(FILL)
    assert (
        Intent.objects.values("number", "name", "link", "amount", "valid_until", "kind", "organisation_id").get()
        == expected
    )
    assert intent(tender).closed_at is None
    assert consistent()


def offered(world: World, n: int, **changes: Any) -> None:
    facts: dict[str, Any] = {
        "marketplace_id": world.marketplace.pk, "organisation_id": world.buyer.organisation_id, "kind": "offer",
        "market": "posted", "subject_id": uuid7(), "number": f"OF-{n}", "name": {"en": f"Offer {n}"}, "link": "/",
        "amount": 100 * n, "currency": "CNY", "valid_until": None,
    }  # fmt: skip
    commerce.open_intent(**{**facts, **changes})


def test_one_list_of_all_markets_in_one_statement(world: World, django_assert_num_queries: Any) -> None:
    for n in range(3):
        offered(world, n)
    offered(world, 9, valid_until=clock.now() - timedelta(seconds=1))  # over
    world.at = clock.now()
    until = clock.now() + timedelta(days=20)
    tender = world.published(bids_until=until, questions_until=None)
    with django_assert_num_queries(1):
        found = list(closing_first(open_intents(clock.now())))
        assert [one.number for one in found] == [tender.number, "OF-0", "OF-1", "OF-2"]
        assert found[0].organisation.name
        assert found[0].marketplace.slug == world.marketplace.slug


def test_open_to_everybody_by_api(world: World) -> None:
    for n in range(3):
        offered(world, n)
    world.at = clock.now()
    tender = world.published(bids_until=clock.now() + timedelta(days=20), questions_until=None)
    client, here = Client(), world.marketplace.slug
    for path in ("/api/v1/intents", f"/api/v1/m/{here}/intents"):
        page = client.get(f"{path}?limit=3").json()
        assert [one["number"] for one in page["items"]] == [tender.number, "OF-2", "OF-1"]
        first = page["items"][0]
        assert (first["marketplace"], first["subject"], first["organisation_name"]["en"], first["amount"]) == (
            here, str(tender.id), "Shanghai Heavy", tender.budget_minor,
        )  # fmt: skip
        assert [one["number"] for one in client.get(page["next"]).json()["items"]] == ["OF-0"]
        assert [one["number"] for one in client.get(f"{path}?kind=request").json()["items"]] == [tender.number]
        assert len(client.get(f"{path}?market=posted").json()["items"]) == 3
    acts.cancel(actor=world.buyer, tender_id=tender.id, reason="no money", now=clock.now())
    assert len(client.get("/api/v1/intents").json()["items"]) == 3


def test_the_front_page_shows_what_every_market_looks_for(world: World) -> None:
    offered(world, 7, name={"en": "A hundred pallets"}, link="/m/x/offers/7/")
    world.at = clock.now()
    tender = world.published(bids_until=clock.now() + timedelta(days=20), questions_until=None)
    for path in ("/", f"/m/{world.marketplace.slug}/"):
        page = Client().get(path).content.decode()
        assert "A hundred pallets" in page
        assert f'href="/m/{world.marketplace.slug}/tenders/{tender.number}/"' in page
