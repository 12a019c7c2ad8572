"""The reverse auction inside a tender, and the approvals a buyer's own rule asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from huangpu.core.errors import Conflict, HuangpuError, Invalid, Refused
from huangpu.core.log.models import Event, Payload
from huangpu.flows.process import approvals
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction.models import Auction
from huangpu.markets.tender import acts, jobs, queries
from huangpu.markets.tender.models import Award, Bid, Lot
from huangpu.markets.tender.rules import final_lines

from .conftest import DEADLINE, World, lot_terms, refused

RULES = {"duration_s": 600, "step_ppm": 5000, "window_s": 60, "extend_s": 60, "extensions_max": 3}
OPENS = DEADLINE + timedelta(minutes=10)


def test_an_auction_lowers_the_price_and_the_agreement_has_its_lines(world: World) -> None:
    tender = world.opened("1000", "990", procedure="open_auction", auction=RULES)
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    lot = Lot.objects.get(tender=tender)
    with refused(Conflict) as first:
        acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
    assert first.value.code == "tender.auction_first"
    (auction_id,) = acts.start_auction(actor=world.buyer, tender_id=tender.id, now=DEADLINE, opens_at=OPENS)
    tender.refresh_from_db()
    assert tender.stage == "auction"
    with refused(Conflict) as running:
        acts.take_auction_result(actor=world.buyer, tender_id=tender.id, now=OPENS)
    assert running.value.code == "tender.auction_running"
    answer = auctions.bid(
        actor=world.suppliers[0], auction_id=auction_id, amount=1_300_000, received_at=OPENS + timedelta(seconds=5)
    )
    assert answer.accepted
    closes = Auction.objects.get(pk=auction_id).closes_at
    assert jobs.sweep(closes) == 0
    late = closes + timedelta(minutes=1)
    auctions.close(actor=world.buyer, auction_id=auction_id, now=late)
    assert jobs.sweep(late) == 1
    tender.refresh_from_db()
    assert tender.stage == "evaluation"
    finals = dict(Bid.objects.filter(tender=tender).values_list("bidder_id", "final_minor"))
    assert finals[world.suppliers[0].organisation_id] == 1_300_000
    assert finals[world.suppliers[1].organisation_id] == 1_435_500  # never improved: its opening price
    with refused(Conflict) as twice:
        acts.start_auction(actor=world.buyer, tender_id=tender.id, now=late)
    assert twice.value.code == "tender.auction_held"
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=late)
    award = acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=late)
    assert (award.supplier_id, award.amount_minor) == (world.suppliers[0].organisation_id, 1_300_000)
    view = queries.see(world.buyer, tender, late)
    assert (view.saving.budget, view.saving.opening, view.saving.final) == (10_000_000, 1_435_500, 1_300_000)
    prices = [(str(line.id), line.line.quantity, line.unit_price) for line in view.lots[0].bids[0].lines]
    assert sum(line.amount_minor for line in final_lines(prices, "CNY", 1_300_000)) == 1_300_000


def test_who_bids_is_not_named_before_the_first_award(world: World) -> None:
    tender = world.opened("1000", "990", procedure="open_auction", auction=RULES)
    seen = queries.see(world.suppliers[0], tender, DEADLINE).lots[0].bids
    assert [(bid.mine, bid.organisation is None) for bid in seen] == [(True, False), (False, True)]
    opened = Payload.objects.get(pk=Event.objects.get(kind="tender.bids_opened").pk).body
    assert [bid["bidder"] for bid in opened["bids"]] == [None, None]
    assert all(bid.organisation for bid in queries.see(world.buyer, tender, DEADLINE).lots[0].bids)


def test_one_valid_bid_needs_no_auction(world: World) -> None:
    tender = world.opened("1000", procedure="open_auction", auction=RULES)
    with refused(Conflict) as pointless:
        acts.start_auction(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert pointless.value.code == "tender.auction_pointless"
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    lot = Lot.objects.get(tender=tender)
    assert acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=DEADLINE).status == "standing"


def test_cancelling_a_tender_in_auction_cancels_the_auction(world: World) -> None:
    tender = world.opened("1000", "990", procedure="open_auction", auction=RULES)
    (auction_id,) = acts.start_auction(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    acts.cancel(actor=world.buyer, tender_id=tender.id, reason="Budget", now=DEADLINE)
    assert Auction.objects.get(pk=auction_id).status == "cancelled"


def test_rules_no_auction_can_have_are_refused_before_anybody_bids(world: World) -> None:
    tender = world.plan(procedure="open_auction", auction={"duration_s": 1})
    with refused(Invalid):
        acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)


def test_an_approval_rule_holds_publication_and_award_up(world: World) -> None:
    owner = replace(world.buyer, roles=frozenset({"owner"}))
    for act_name in ("tender.publish", "tender.award"):
        approvals.set_rule(
            actor=owner, act_name=act_name, currency="CNY", amount_from=1_000_000, persons=1, now=world.at
        )
    small = world.published(lots=[lot_terms(("A", "1", "C62"), budget=999_999)])
    assert small.stage == "open"
    tender = world.plan()
    with refused(Refused) as needed:
        acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    assert needed.value.code == "approval.needed"
    task = approvals.ask(
        actor=world.buyer,
        marketplace_id=world.marketplace.id,
        act_name="tender.publish",
        subject_id=tender.id,
        amount=10_000_000,
        currency="CNY",
        link="/",
        now=world.at,
    )
    approvals.decide(actor=world.approver, task_id=task.id, approves=True, now=world.at)
    assert acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at).stage == "open"
    world.bid(tender, 0, "1000")
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    lot = Lot.objects.get(tender=tender)
    with refused(HuangpuError) as again:
        acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
    assert again.value.code == "approval.needed"
    assert not Award.objects.exists()
