"""Bid bonds: held with the bid, given back or forfeited with what it stands for; the law's ceiling; never two of one bid."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from huangpu.core.errors import Conflict, HuangpuError, Invalid, InvalidMany
from huangpu.core.log.models import Event, Payload
from huangpu.core.verify import Check
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds import queries as wallets
from huangpu.flows.funds import verify as books
from huangpu.flows.funds.models import Hold, Transfer
from huangpu.flows.funds.rules import account_id
from huangpu.flows.process import store
from huangpu.markets.tender import acts, verify
from huangpu.markets.tender.models import Award, Bid, Bond, Lot, Tender
from huangpu.markets.tender.rules import bond_amount, lot_budget
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.profile import figure

from . import test_races as races
from .conftest import DEADLINE, START, World, lot_terms, make_world, refused
from .test_api import DRAFT, Caller
from .test_pages import at, browser, send  # noqa: F401

BOND = 150_000


def rich(world: World, amount: int = 1_000_000) -> World:
    for supplier in world.suppliers:
        assert supplier.organisation_id is not None
        funds.top_up(
            actor=SYSTEM, marketplace_id=world.marketplace.id, organisation_id=supplier.organisation_id, amount=amount,
            currency="CNY", now=START,
        )  # fmt: skip
    return world


def free(world: World, actor: Actor) -> int:
    assert actor.organisation_id is not None
    return wallets.available(account_id(world.marketplace.id, "wallet", actor.organisation_id, "CNY")) or 0


def bonds(tender: Tender) -> list[tuple[str, str]]:
    return list(Bond.objects.filter(tender=tender).order_by("bid__received_at", "id").values_list("status", "reason"))


def wrong() -> list[Check]:
    return [check for check in (*books.checks(), *verify.checks()) if not check.ok]


@pytest.mark.parametrize(
    ("minor", "ppm", "budget", "expected"),
    [
        (None, None, 1_000_000, 0),
        (5_000, None, None, 5_000),
        (None, 20_000, 1_000_000, 20_000),
        (None, 20_000, 49, 0),
        (None, 20_000, 149, 2),
        (None, 1, 999_999, 0),
        (None, 20_000, None, 0),
    ],
)
def test_a_bond_is_an_amount_or_a_share_rounded_down(
    minor: int | None, ppm: int | None, budget: int | None, expected: int
) -> None:
    assert bond_amount(minor, ppm, budget) == expected


def test_the_budget_of_a_lot() -> None:
    assert [lot_budget(9, 4, 2), lot_budget(9, None, 2), lot_budget(9, None, 1), lot_budget(None, None, 1)] == [
        4, None, 9, None,
    ]  # fmt: skip


def test_the_ceiling_is_the_laws_or_a_stricter_one_of_the_profile() -> None:
    law = figure({"jurisdiction": "CN"}, "bid_bond_ppm_max")
    assert law is not None
    assert (law.value, "第二十六条" in law.source) == (20_000, True)
    days = figure({"jurisdiction": "CN"}, "bid_bond_return_days_max")
    assert days is not None
    assert (days.value, "第五十七条" in days.source) == (5, True)
    stricter = figure({"jurisdiction": "CN", "bid_bond_ppm_max": 10_000}, "bid_bond_ppm_max")
    looser = figure({"jurisdiction": "CN", "bid_bond_ppm_max": 90_000}, "bid_bond_ppm_max")
    assert stricter is not None
    assert looser is not None
    assert (stricter.value, looser.value) == (10_000, 20_000)
    assert figure({"jurisdiction": "DE"}, "bid_bond_ppm_max") is None


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"bond_minor": 200_001}, "tender.bond_above_ceiling"),
        ({"bond_ppm": 20_001}, "tender.bond_above_ceiling"),
        ({"bond_minor": 1, "lots": [lot_terms(("x", "1", "C62"))]}, "tender.bond_above_ceiling"),
        ({"bond_minor": 1, "bond_ppm": 1}, "tender.bond_twice"),
        ({"bond_minor": 0}, "tender.bond_invalid"),
        ({"bond_ppm": 10_000, "lots": [lot_terms(("x", "1", "C62"))]}, "tender.bond_share"),
        ({"late_penalty": {"rate": "0.01", "per": "month", "cap": "0.1"}}, "tender.penalty_invalid"),
        ({"late_penalty": {"rate": "0.2", "per": "day", "cap": "0.1"}}, "tender.penalty_invalid"),
        ({"late_penalty": {"rate": "0.1", "per": "day", "cap": "0.31"}}, "tender.penalty_invalid"),
        ({"late_penalty": {"rate": "x", "per": "day", "cap": "0.1"}}, "tender.penalty_invalid"),
    ],
)
def test_what_the_law_or_sense_forbids_is_no_draft(world: World, terms: dict[str, Any], code: str) -> None:
    with refused(HuangpuError) as info:
        world.plan(**terms)
    told = info.value.errors if isinstance(info.value, InvalidMany) else [info.value]
    assert code in [one.code for one in told]


def test_at_the_ceiling_it_is_allowed_and_elsewhere_the_law_is_another(world: World) -> None:
    world.plan(bond_minor=200_000)
    world.marketplace.profile = {"jurisdiction": "DE"}
    world.marketplace.save()
    world.plan(bond_minor=9_000_000)


def test_without_the_money_there_is_no_bid(world: World) -> None:
    tender = world.published(bond_minor=BOND)
    with refused(Conflict) as info:
        world.bid(tender, 0, "10")
    assert info.value.code == "tender.bond_not_covered"
    assert not Bid.objects.filter(tender=tender).exists()
    assert not Bond.objects.exists()


def test_a_bond_from_the_bid_to_the_awards_and_the_conclusion(world: World) -> None:
    rich(world)
    tender = world.published(bond_minor=BOND)
    for place, price in enumerate(("10", "11", "12")):
        world.bid(tender, place, price, at=START + timedelta(minutes=place))
        assert free(world, world.suppliers[place]) == 1_000_000 - BOND
    assert Hold.objects.filter(pk__in=Bond.objects.values("pk")).count() == 3
    assert not wrong()
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    third = Bid.objects.get(tender=tender, number=3)
    acts.disqualify(actor=world.buyer, bid_id=third.id, reason="no", now=DEADLINE)
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    acts.award(actor=world.approver, tender_id=tender.id, lot_id=third.lot_id, now=DEADLINE)
    assert bonds(tender) == [("held", ""), ("returned", "not_awarded"), ("returned", "rejected")]
    assert not wrong()
    acts.conclude(actor=world.buyer, tender_id=tender.id, now=DEADLINE + timedelta(days=5))
    assert bonds(tender)[0] == ("returned", "concluded")
    assert [free(world, supplier) for supplier in world.suppliers[:3]] == [1_000_000] * 3
    kinds = list(
        Event.objects.filter(thread_id=tender.id, kind__startswith="tender.bond").values_list("kind", flat=True)
    )
    assert sorted(kinds) == ["tender.bond_held"] * 3 + ["tender.bond_returned"] * 3
    assert not wrong()


def test_the_winner_that_defaults_forfeits_it_to_the_buyer(world: World) -> None:
    tender = rich(world).awarded("10", "11", bond_minor=BOND)
    award = Award.objects.get(tender=tender)
    acts.pass_on(actor=world.buyer, award_id=award.id, reason="did not sign", now=DEADLINE)
    assert bonds(tender) == [("forfeited", "defaulted"), ("returned", "not_awarded")]
    assert free(world, world.suppliers[0]) == 1_000_000 - BOND
    assert free(world, world.buyer) == BOND
    assert list(Transfer.objects.filter(kind="bond_forfeit").values_list("amount", flat=True)) == [BOND]
    event = Event.objects.get(kind="tender.bond_forfeited")
    assert set(event.audience) == {world.suppliers[0].organisation_id, world.buyer.organisation_id}
    assert not wrong()


@pytest.mark.parametrize("how", ["withdraw", "cancel", "cancel_late", "single", "spoilt", "upheld"])
def test_it_is_given_back_whenever_the_bid_is_over(world: World, how: str) -> None:
    rich(world)
    tender = world.published(bond_minor=BOND, allow_single=how != "single")
    bid = world.bid(tender, 0, "10")
    reason = how
    if how == "withdraw":
        acts.withdraw_bid(actor=world.suppliers[0], bid_id=bid.id, now=START)
        reason = "withdrawn"
    elif how == "cancel":
        acts.cancel(actor=world.buyer, tender_id=tender.id, reason="no", now=START)
        reason = "cancelled"
    else:
        if how == "spoilt":
            Bid.objects.filter(pk=bid.id).update(sealed=b"spoilt", receipt=sha256(b"spoilt").digest())
        acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
        reason = {"single": "unsuccessful", "spoilt": "rejected"}.get(how, "cancelled")
        if how == "cancel_late":
            acts.cancel(actor=world.buyer, tender_id=tender.id, reason="no", now=DEADLINE)
        if how == "upheld":  # the award is void; the bid stands and so does its bond, until the tender is cancelled
            acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
            acts.award(actor=world.approver, tender_id=tender.id, lot_id=bid.lot_id, now=DEADLINE)
            complaint = acts.complain(
                actor=world.suppliers[0], tender_id=tender.id, lot_id=bid.lot_id, text="no", now=DEADLINE
            )
            acts.decide_complaint(
                actor=world.arbiter, complaint_id=complaint.id, upheld=True, decision="yes", now=DEADLINE
            )
            assert bonds(tender) == [("held", "")]
            acts.cancel(actor=world.buyer, tender_id=tender.id, reason="no", now=DEADLINE)
    assert bonds(tender) == [("returned", reason)]
    assert free(world, world.suppliers[0]) == 1_000_000
    assert not wrong()


def test_a_bid_that_replaces_another_takes_its_bond_over(world: World) -> None:
    rich(world, BOND)  # enough for one
    tender = world.published(bond_minor=BOND)
    world.bid(tender, 0, "10")
    second = world.bid(tender, 0, "11")
    assert list(Bond.objects.values_list("bid_id", "status")) == [(second.id, "held")]
    assert not wrong()


def test_the_database_lets_no_bid_have_two_live_bonds(world: World) -> None:
    rich(world)
    tender = world.published(bond_minor=BOND)
    bid = world.bid(tender, 0, "10")
    with pytest.raises(IntegrityError, match="tender_one_live_bond"), transaction.atomic():
        Bond.objects.create(
            marketplace_id=tender.marketplace_id, tender=tender, lot=bid.lot, bid=bid, bidder_id=bid.bidder_id,
            amount_minor=1, held_at=START,
        )  # fmt: skip


def test_before_the_opening_only_its_bidder_learns_of_a_bond(world: World) -> None:
    rich(world)
    tender = world.published(bond_minor=BOND)
    bid = world.bid(tender, 0, "10")
    acts.withdraw_bid(actor=world.suppliers[0], bid_id=bid.id, now=START)
    told = Event.objects.filter(thread_id=tender.id, kind__startswith="tender.bond")
    assert len(told) == 2
    for event in told:
        assert event.audience == [world.suppliers[0].organisation_id]
        assert (event.actor_id, event.organisation_id) == (None, None)
    assert Payload.objects.get(pk=told[0].pk).body["amount_minor"] == BOND


def test_each_lot_has_a_bond_of_its_own_share(world: World) -> None:
    rich(world)
    lots = [lot_terms((name, "1", "C62"), budget=budget) for name, budget in (("a", 5_000_000), ("b", 1_000_050))]
    tender = world.published(lots=lots, bond_ppm=20_000)
    for number in (1, 2):
        world.bid(tender, 0, "10", lot=number)
    assert sorted(Bond.objects.values_list("amount_minor", flat=True)) == [20_001, 100_000]


def test_the_terms_reach_the_agreement(world: World) -> None:
    late = {"rate": "0.005", "per": "week", "cap": "0.05"}
    tender = world.awarded("10", late_penalty=late)
    [agreement] = acts.conclude(actor=world.buyer, tender_id=tender.id, now=DEADLINE + timedelta(days=5))
    [penalty] = store.load(agreement).penalties
    assert {name: penalty.details[name] for name in late} == late


def test_by_api(world: World, at: Any) -> None:  # noqa: F811, ARG001
    rich(world)
    buyer, bidder = Caller(world, world.buyer), Caller(world, world.suppliers[0])
    late = {"rate": "0.001", "per": "day", "cap": "0.1"}
    draft = buyer.send("/tenders", {**DRAFT, "bond_ppm": 20_000, "late_penalty": late}, status=201)
    assert (draft["bond_ppm"], draft["late_penalty"], draft["lots"][0]["bond_minor"]) == (20_000, late, 40_000)
    refusal = buyer.send("/tenders", {**DRAFT, "bond_minor": 40_001}, status=422)
    assert refusal["code"] == "tender.bond_above_ceiling"
    buyer.send(f"/tenders/{draft['id']}/publish")
    lot = draft["lots"][0]
    body = {"lot": lot["id"], "prices": [{"line": lot["lines"][0]["id"], "unit_price": "99.5"}]}
    receipt = bidder.send(f"/tenders/{draft['id']}/bids", body, status=201)
    assert (receipt["bond"]["status"], receipt["bond"]["amount_minor"]) == ("held", 40_000)
    poor = Caller(world, world.neighbour).send(f"/tenders/{draft['id']}/bids", body, status=409)
    assert poor["code"] == "tender.bond_not_covered"
    acts.open_bids(actor=world.buyer, tender_id=UUID(draft["id"]), now=DEADLINE)
    [seen] = buyer.get(f"/tenders/{draft['id']}").json()["lots"][0]["bids"]
    assert seen["bond"]["id"] == receipt["bond"]["id"]
    [unseen] = Caller(world, world.neighbour).get(f"/tenders/{draft['id']}").json()["lots"][0]["bids"]
    assert unseen["bond"] is None


def test_by_page(world: World, at: Any) -> None:  # noqa: F811
    rich(world)
    base = f"/m/{world.marketplace.slug}/tenders/"
    tender = world.plan(bond_minor=BOND, late_penalty={"rate": "0.005", "per": "week", "cap": "0.05"})
    form = browser(world.buyer).get(f"{base}{tender.number}/edit/").content.decode()
    assert 'name="bond" value="1500"' in form
    assert 'name="late_rate" value="0.5"' in form
    acts.publish(actor=world.buyer, tender_id=tender.id, now=START)
    page = browser(world.neighbour).get(f"{base}{tender.number}/").content.decode()
    assert "0.5\N{NO-BREAK SPACE}%" in page
    assert "1,500.00" in page
    bidder = browser(world.suppliers[0])
    asked = bidder.get(f"{base}{tender.number}/lots/1/bid/").content.decode()
    assert "1,500.00" in asked
    prices = {f"price.{line.id}": "10" for line in Lot.objects.get(tender=tender).lines.all()}
    send(bidder, f"{base}{tender.number}/lots/1/bid/", prices)
    assert "1,500.00" in bidder.get(f"{base}{tender.number}/").content.decode().split('id="my-bids"')[1]
    poor = browser(world.neighbour)
    assert "CN¥1,500.00" in send(poor, f"{base}{tender.number}/lots/1/bid/", prices, 422).content.decode()
    at(DEADLINE)
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert "1,500.00" in browser(world.buyer).get(f"{base}{tender.number}/evaluation/").content.decode()


FORM_LATE = {"late_rate": "0.5", "late_per": "week", "late_cap": "5", "bond": "", "bond_percent": "2"}


def test_what_is_typed_is_read_and_shown_again(world: World, at: Any) -> None:  # noqa: F811, ARG001
    from .test_pages import FORM

    client, base = browser(world.buyer), f"/m/{world.marketplace.slug}/tenders/new/"
    one = {**FORM, **FORM_LATE, "lot_budget": ["30000", "20000"]}
    send(client, base, one)
    made = Tender.objects.latest("id")
    assert (made.bond_ppm, made.late_penalty) == (20_000, {"rate": "0.005", "per": "week", "cap": "0.05"})
    for changes, shown in (
        ({"bond_percent": "2.1"}, "at most 2 %"),
        ({"late_cap": ""}, "percentage"),
        ({"late_rate": "x"}, "percentage"),
        ({"bond": "1"}, "not both"),
    ):
        page = send(client, base, {**one, **changes}, 422).content.decode()
        assert shown in page, changes


@pytest.mark.django_db(transaction=True)
def test_withdrawal_and_opening_at_once_settle_a_bond_once(transactional_db: None) -> None:  # noqa: ARG001
    world = rich(make_world())
    tender = world.published(bond_minor=BOND)
    bid, other = world.bid(tender, 0, "10"), world.bid(tender, 1, "11")
    assert other
    before = DEADLINE - timedelta(microseconds=1)
    answers = races.at_once(
        lambda: acts.withdraw_bid(actor=world.suppliers[0], bid_id=bid.id, now=before),
        lambda: acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE),
        lambda: acts.withdraw_bid(actor=world.suppliers[0], bid_id=bid.id, now=before),
    )
    assert isinstance(answers[1], Tender)
    taken_back = sum(isinstance(answer, Bid) for answer in answers)
    bid.refresh_from_db()
    assert taken_back == (bid.status == "withdrawn")
    assert Bond.objects.get(bid=bid).status == ("returned" if taken_back else "held")
    assert not wrong()


@pytest.mark.django_db(transaction=True)
def test_two_bids_of_one_wallet_at_once_are_not_covered_twice(transactional_db: None) -> None:  # noqa: ARG001
    world = rich(make_world(), BOND)
    lots = [lot_terms((name, "1", "C62"), budget=10_000_000) for name in ("a", "b")]
    tender = world.published(lots=lots, bond_minor=BOND)
    answers = races.at_once(*(lambda lot=lot: world.bid(tender, 0, "10", lot=lot) for lot in (1, 2)))
    assert sorted(isinstance(answer, Bid) for answer in answers) == [False, True]
    assert [answer.code for answer in answers if isinstance(answer, Invalid | Conflict)] == ["tender.bond_not_covered"]
    assert not wrong()
