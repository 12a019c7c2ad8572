"""`huangpu verify` finds a tender that contradicts itself: each check has a contradiction planted that it alone must find."""

from __future__ import annotations

from datetime import timedelta

import pytest

from huangpu.core.db import execute
from huangpu.markets.tender import acts, verify
from huangpu.markets.tender.models import Award, Bid

from .conftest import DEADLINE, World

PLANTED = {
    "bids received at their end or later": "UPDATE tender_bid SET received_at = %s",
    "tenders opened before their time, or read without an opening": (
        "UPDATE tender_tender SET opened_at = bids_until - '1 s'::interval"
    ),
    "sealed bids that are not what their receipt says": "UPDATE tender_bid SET sealed = 'x'::bytea WHERE sealed IS NOT NULL",
    "bids whose amount is not the sum of their lines": "UPDATE tender_bidline SET amount_minor = amount_minor + 1",
    "awards that differ from their bid": "UPDATE tender_award SET supplier_id = (SELECT buyer_id FROM tender_tender)",
    "concluded awards without the agreement that they became": "UPDATE commerce_agreement SET amount = amount + 1",
    "lots awarded or concluded without an award": "UPDATE tender_award SET status = 'defaulted'",
}


def broken() -> list[str]:
    return [check.name.removeprefix("tender: no ") for check in verify.checks() if not check.ok]


@pytest.fixture
def concluded(world: World) -> World:
    """A tender with two bids, concluded; and one that is still open, with a sealed bid."""
    tender = world.awarded("10", "11")
    acts.conclude(actor=world.buyer, tender_id=tender.id, now=Award.objects.get(tender=tender).standstill_until)
    return world


def test_whole_tenders_are_clean(concluded: World) -> None:
    concluded.bid(concluded.published(), 0, "10")
    assert Bid.objects.filter(status="sealed").exists()
    assert broken() == []


def test_every_check_has_its_contradiction() -> None:
    assert set(PLANTED) == set(verify.CHECKS)


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.usefixtures("concluded")
def test_a_contradiction_is_found_by_its_check(what: str) -> None:
    sql = PLANTED[what]
    assert execute(sql, [DEADLINE + timedelta(seconds=1)] if "%s" in sql else []) > 0
    assert broken() == [what]
