"""The acts: every bid gets its number, who may, closing with its grace, pauses, outages, what the log and verify say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from huangpu.core import clock
from huangpu.core.errors import Conflict, HuangpuError, Invalid, NotFound, NotSignedIn, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.markets.auction import acts, jobs, queries
from huangpu.markets.auction.models import Auction, Entry
from huangpu.markets.auction.rules import GRACE
from huangpu.markets.auction.verify import checks
from huangpu.parties.actor import ANONYMOUS, SYSTEM, Actor

from .conftest import OPENS, World

pytestmark = pytest.mark.django_db


@contextmanager
def refused_with(code: str, kind: type[HuangpuError] = HuangpuError) -> Iterator[None]:
    """In a savepoint, so that the test goes on."""
    with pytest.raises(kind) as refused, transaction.atomic():
        yield
    assert refused.value.code == code


def test_each_bid_is_answered_with_its_number_its_rank_and_what_comes_next(world: World) -> None:
    auction = world.scheduled()
    first = world.bid(auction, 1, 95_000, 1)
    assert (first.sequence, first.accepted, first.rank, first.leading_minor) == (1, True, 1, 95_000)
    assert first.highest_next_minor == 94_900
    second = world.bid(auction, 2, 98_950, 2)
    assert (second.sequence, second.accepted, second.reason, second.rank) == (2, False, "step", 2)
    assert second.own_minor == 99_000
    third = world.bid(auction, 2, 94_000, 590)
    assert (third.sequence, third.extended, third.closes_at) == (3, True, OPENS + timedelta(seconds=710))
    late = world.bid(auction, 3, 90_000, 710)
    assert (late.sequence, late.reason) == (4, "too_late")
    assert list(Entry.objects.filter(auction=auction).order_by("sequence").values_list("sequence", "accepted")) == [
        (1, True),
        (2, False),
        (3, True),
        (4, False),
    ]
    assert all(check.ok for check in checks())


def test_a_bid_costs_two_statements_of_its_own(world: World, django_assert_num_queries: Any) -> None:
    auction = world.scheduled()
    with django_assert_num_queries(4):  # and the savepoint of this test's transaction, begun and released
        world.bid(auction, 1, 95_000, 1)


def test_the_event_names_its_bidder_to_nobody_else(world: World) -> None:
    auction = world.scheduled()
    world.bid(auction, 2, 95_000, 1)
    event = Event.objects.get(kind="auction.bid_answered")
    assert (event.organisation_id, event.actor_id) == (None, None)
    assert event.audience == [world.bidders[1].organisation_id]
    body = Payload.objects.get(pk=event.pk).body
    assert (body["bidder"], body["sequence"], body["amount_minor"]) == ("2", 1, 95_000)


def test_who_may_bid(world: World) -> None:
    auction = world.scheduled()
    given = {"auction_id": auction.id, "amount": 90_000, "received_at": OPENS}
    with refused_with("auction.not_a_bidder", Refused):
        acts.bid(actor=world.stranger, **given)
    with refused_with("auction.not_a_bidder", Refused):
        acts.bid(actor=Actor(uuid7(), world.buyer.organisation_id, roles=frozenset({"owner"})), **given)
    with refused_with("rights.role_missing", Refused):
        acts.bid(actor=Actor(uuid7(), world.bidders[0].organisation_id, roles=frozenset({"warehouse"})), **given)
    with refused_with("rights.not_signed_in", NotSignedIn):
        acts.bid(actor=ANONYMOUS, **given)
    with refused_with("auction.not_found", NotFound):
        acts.bid(actor=world.bidders[0], auction_id=uuid7(), amount=1, received_at=OPENS)
    for amount in (0, -5, 2**53):
        with refused_with("auction.amount_invalid", Invalid):
            acts.bid(actor=world.bidders[0], auction_id=auction.id, amount=amount, received_at=OPENS)
    assert not Entry.objects.exists()


def test_a_bid_received_in_time_counts_until_the_close_is_marked(world: World) -> None:
    auction = world.scheduled()
    ends = OPENS + timedelta(seconds=600)
    with refused_with("auction.still_running", Conflict):
        acts.close(actor=SYSTEM, auction_id=auction.id, now=ends + GRACE - timedelta(milliseconds=1))
    in_time = world.bid(auction, 1, 90_000, 599.999)
    assert in_time.accepted
    ends = in_time.closes_at
    acts.close(actor=SYSTEM, auction_id=auction.id, now=ends + GRACE)
    after = world.bid(auction, 2, 80_000, 700)
    assert (after.sequence, after.reason) == (3, "closed")
    result = queries.result(auction.id)
    assert [(one.organisation_id, one.amount_minor, one.rank) for one in result] == [
        (world.bidders[0].organisation_id, 90_000, 1),
        (world.bidders[1].organisation_id, 99_000, 2),
        (world.bidders[2].organisation_id, 99_000, 3),
    ]
    assert all(check.ok for check in checks())


def test_names_are_told_at_the_close_to_the_buyer_and_the_bidders(world: World) -> None:
    auction = world.scheduled()
    acts.close(actor=SYSTEM, auction_id=auction.id, now=OPENS + timedelta(seconds=700))
    acts.close(actor=SYSTEM, auction_id=auction.id, now=OPENS + timedelta(seconds=800))  # again: nothing
    named = Event.objects.get(kind="auction.bidders_named")
    assert set(named.audience) == {one.organisation_id for one in (world.buyer, *world.bidders)}
    closed = Payload.objects.get(pk=Event.objects.get(kind="auction.closed").pk).body
    assert [one["bidder"] for one in closed["result"]] == ["2", "3", "1"]
    assert Entry.objects.filter(auction=auction).count() == 1


def test_there_is_no_result_before_the_close(world: World) -> None:
    with refused_with("auction.not_closed", Conflict):
        queries.result(world.scheduled().id)
    with refused_with("auction.not_found", NotFound):
        queries.result(uuid7())


def test_pause_resume_cancel(world: World) -> None:
    auction = world.scheduled()
    acts.pause(actor=world.operator, auction_id=auction.id, now=OPENS + timedelta(seconds=10))
    assert world.bid(auction, 1, 90_000, 11).reason == "paused"
    with refused_with("auction.not_open", Conflict):
        acts.pause(actor=world.operator, auction_id=auction.id, now=OPENS + timedelta(seconds=12))
    state = acts.resume(actor=world.buyer, auction_id=auction.id, now=OPENS + timedelta(seconds=40))
    assert state.closes_at == OPENS + timedelta(seconds=630)
    with refused_with("rights.other_organisation", Refused):
        acts.pause(actor=world.bidders[0], auction_id=auction.id, now=OPENS + timedelta(seconds=41))
    with refused_with("auction.reason_missing", Invalid):
        acts.cancel(actor=world.buyer, auction_id=auction.id, reason=" ", now=OPENS)
    acts.cancel(actor=world.buyer, auction_id=auction.id, reason="specification changed", now=OPENS)
    assert world.bid(auction, 1, 90_000, 50).reason == "cancelled"
    with refused_with("auction.ended", Conflict):
        acts.cancel(actor=world.buyer, auction_id=auction.id, reason="again", now=OPENS)
    assert all(check.ok for check in checks())
    world.scheduled(lot_id=auction.lot_id)  # a cancelled one makes room
    with refused_with("auction.already_scheduled", Conflict):
        world.scheduled(lot_id=auction.lot_id)


def test_an_outage_is_credited_before_the_next_bid_is_judged(world: World) -> None:
    auction = world.scheduled()
    acts.beat(now=OPENS + timedelta(seconds=590))
    answer = world.bid(auction, 1, 90_000, 800)  # 210 s of silence, the close in the midst of it
    assert (answer.accepted, answer.sequence) == (True, 2)
    assert answer.closes_at == OPENS + timedelta(seconds=920)  # 600 + 210 = 810; at 800 in the window: 800 + 120
    assert Entry.objects.get(auction=auction, sequence=1).kind == "outage"
    assert all(check.ok for check in checks())


def test_the_pulse_credits_every_open_auction_once(world: World) -> None:
    one, two, later = world.scheduled(), world.scheduled(), world.scheduled(opens_at=OPENS + timedelta(hours=2))
    acts.beat(now=OPENS + timedelta(seconds=100))
    assert acts.beat(now=OPENS + timedelta(seconds=103)) == 0
    assert acts.beat(now=OPENS + timedelta(seconds=163)) == 2
    assert acts.beat(now=OPENS + timedelta(seconds=164)) == 0
    closes = Auction.objects.in_bulk([one.id, two.id, later.id])
    assert closes[one.id].closes_at == closes[two.id].closes_at == OPENS + timedelta(seconds=660)
    assert closes[later.id].closes_at == later.closes_at


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bidders": []}, "auction.no_bidders"),
        ({"opens_at": OPENS - timedelta(days=1)}, "auction.opens_in_the_past"),
        ({"currency": "XYZ"}, "currency.unknown"),
        ({"bidders": [(uuid7(), "1", 0)]}, "auction.start_price"),
        ({"bidders": [(uuid7(), "1", 5), (uuid7(), "1", 5)]}, "auction.bidder_twice"),
        ({"bidders": [(uuid7(), str(place), 5) for place in range(501)]}, "auction.too_many_bidders"),
    ],
)
def test_what_cannot_be_scheduled(world: World, change: dict, code: str) -> None:
    given = {
        "actor": world.buyer,
        "marketplace_id": world.marketplace.id,
        "subject_id": uuid7(),
        "lot_id": None,
        "currency": "CNY",
        "bidders": [(world.bidders[0].organisation_id, "1", 5)],
        "rules": queries.r.AuctionRules(),
        "opens_at": OPENS,
        "now": OPENS - timedelta(hours=1),
    }
    with refused_with(code):
        acts.schedule(**{**given, **change})
    with refused_with("auction.buyer_bids"):
        acts.schedule(**{**given, "bidders": [(world.buyer.organisation_id, "1", 5)]})


def test_verify_finds_a_row_that_is_not_what_its_log_says(world: World) -> None:
    auction = world.scheduled()
    world.bid(auction, 1, 95_000, 1)
    Auction.objects.filter(pk=auction.pk).update(closes_at=OPENS + timedelta(seconds=900))
    assert not all(check.ok for check in checks())


def test_verify_finds_a_hole_in_a_log(world: World) -> None:
    auction = world.scheduled()
    world.bid(auction, 1, 95_000, 1)
    world.bid(auction, 1, 94_000, 2)
    Entry.objects.filter(auction=auction, sequence=1).delete()
    assert not all(check.ok for check in checks())


def test_the_sweep_closes_what_is_over_and_only_that(world: World) -> None:
    over = world.scheduled(opens_at=clock.now() - timedelta(hours=1))
    running = world.scheduled(opens_at=clock.now() + timedelta(hours=1))
    assert jobs.close_due() == 1
    assert jobs.close_due() == 0
    states = Auction.objects.in_bulk([over.id, running.id])
    assert (states[over.id].status, states[running.id].status) == ("closed", "open")
