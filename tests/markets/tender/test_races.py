"""Two at once, from real connections: one award a lot, one opening, no acknowledged bid lost at the deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.markets.tender import acts, jobs
from huangpu.markets.tender.models import Award, Bid, Lot
from tests.at_once import at_once

from .conftest import DEADLINE, World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:  # noqa: ARG001
    return make_world()


def test_of_two_awards_at_once_one_wins(world: World) -> None:
    tender = world.opened("10", "11")
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    lot = Lot.objects.get(tender=tender)
    answers = at_once(
        *(
            lambda who=who: acts.award(actor=who, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
            for who in (world.buyer, world.approver)
        )
    )
    assert sorted(isinstance(answer, Award) for answer in answers) == [False, True]
    assert Award.objects.filter(tender=tender).count() == 1


def test_two_bids_of_one_bidder_at_once_leave_one_standing(world: World) -> None:
    tender = world.published()
    answers = at_once(*(lambda price=price: world.bid(tender, 0, price) for price in ("10", "11", "12")))
    assert all(isinstance(answer, Bid) for answer in answers)
    assert sorted(Bid.objects.filter(tender=tender).values_list("status", flat=True)) == [
        "replaced",
        "replaced",
        "sealed",
    ]


def test_no_bid_acknowledged_before_the_deadline_is_missing_from_the_opening(world: World) -> None:
    """Bids of the last millisecond against the opening itself: who got a receipt is in the record, who did not is not."""
    tender = world.published()
    world.bid(tender, 3, "50")
    last = DEADLINE - timedelta(milliseconds=1)
    answers = at_once(
        *(lambda place=place: world.bid(tender, place, "10", at=last) for place in range(3)),
        lambda: jobs.sweep(DEADLINE + timedelta(seconds=5)),
        lambda: jobs.sweep(DEADLINE + timedelta(seconds=5)),
    )
    answers.append(jobs.sweep(DEADLINE + timedelta(seconds=6)))  # both may have passed over a tender that a bid held
    receipts = {bytes(answer.receipt).hex() for answer in answers if isinstance(answer, Bid)}
    refusals = [answer.code for answer in answers if isinstance(answer, HuangpuError)]
    tender.refresh_from_db()
    told = {bid["receipt"] for bid in tender.opening["bids"]}
    assert receipts <= told
    assert len(told) == len(receipts) + 1
    assert set(refusals) <= {"tender.wrong_stage"}
    assert sum(answer for answer in answers if isinstance(answer, int)) == 1  # the sweeps opened it once


def test_the_sweep_skips_what_is_locked_and_takes_what_is_due(world: World) -> None:
    due, later = world.published(), world.published(bids_until=DEADLINE + timedelta(days=1))
    world.bid(due, 0, "10")
    assert jobs.sweep(DEADLINE) == 0  # a bid on its way has some seconds to arrive
    assert jobs.sweep(DEADLINE + timedelta(seconds=5)) == 1
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.stage, due.next_deadline_at, later.stage) == ("evaluation", None, "open")
    assert jobs.sweep(DEADLINE + timedelta(seconds=5)) == 0
