"""What `huangpu verify` says of tenders: nothing of a sound one, and each contradiction that is planted by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from huangpu.markets.tender import acts, verify
from huangpu.markets.tender.models import Tender

from .conftest import DEADLINE, World
from .test_bonds import BOND, rich


def wrong() -> list[str]:
    return [check.name for check in verify.checks() if not check.ok]


def concluded(world: World) -> Tender:
    tender = rich(world).awarded("10", "11", bond_minor=BOND, two_persons=True)
    acts.conclude(actor=world.buyer, tender_id=tender.id, now=DEADLINE + timedelta(days=5))
    return tender


def evaluation(world: World) -> Tender:
    return rich(world).opened("10", "11", bond_minor=BOND)


def standstill(world: World) -> Tender:
    return rich(world).awarded("10", "11", bond_minor=BOND, two_persons=True)


def bidding(world: World) -> Tender:
    tender = rich(world).published(bond_minor=BOND)
    world.bid(tender, 0, "10")
    return tender


PLANTED = [
    (evaluation, "UPDATE tender_tender SET opened_at = bids_until - interval '1 s'", "contradict their times"),
    (bidding, "UPDATE tender_tender SET opened_at = bids_until", "contradict their times"),
    (concluded, "UPDATE tender_tender SET closed_at = NULL", "contradict their times"),
    (concluded, "UPDATE tender_tender SET next_deadline_at = now()", "contradict their times"),
    (standstill, "UPDATE tender_lot SET status = 'active'", "contradict their standing award"),
    (standstill, "UPDATE tender_award SET status = 'cancelled'", "contradict their standing award"),
    (standstill, "UPDATE tender_bid SET status = 'disqualified' WHERE number = 1", "could not win"),
    (standstill, "UPDATE tender_award SET amount_minor = amount_minor - 1", "could not win"),
    (
        standstill,
        "UPDATE tender_award a SET awarded_by = t.evaluated_by FROM tender_tender t WHERE t.id = a.tender_id",
        "by the person who evaluated",
    ),
    (bidding, "UPDATE tender_bid SET note = 'cheap'", "show something before"),
    (bidding, "UPDATE tender_bid SET number = 1", "show something before"),
    (evaluation, "UPDATE tender_bid SET status = 'sealed', amount_minor = NULL WHERE number = 1", "stayed sealed"),
    (
        bidding,
        "UPDATE tender_bid b SET received_at = bids_until FROM tender_tender t WHERE t.id = b.tender_id",
        "came late",
    ),
    (bidding, "UPDATE tender_bid SET receipt = sha256('another')", "what their receipt says"),
    (evaluation, "UPDATE tender_bid SET amount_minor = amount_minor + 1 WHERE number = 2", "sum of their lines"),
    (bidding, "UPDATE tender_bond SET amount_minor = amount_minor + 1", "differ from their hold"),
    (bidding, "UPDATE tender_bond SET status = 'returned', settled_at = now()", "differ from their hold"),
    (bidding, "DELETE FROM tender_bond", "unknown to the tender"),
    (bidding, "DELETE FROM tender_bond", "without the bond"),
    (
        standstill,
        "UPDATE tender_bond SET status = 'held', settled_at = NULL WHERE reason = 'not_awarded'",
        "should have been given back",
    ),
    (concluded, "UPDATE tender_award SET agreement_id = NULL", "without their agreement"),
    (concluded, "UPDATE commerce_agreement SET origin_id = NULL", "without their agreement"),
    (standstill, "UPDATE tender_award SET file = jsonb_set(file, '{bids,0,rank}', '2')", "another ranking"),
    (
        standstill,
        "UPDATE tender_award SET file = jsonb_set(file, '{bids,0,price_minor}', '99999999')",
        "another ranking",
    ),
    (standstill, "UPDATE tender_award SET standstill_until = standstill_until + interval '1 day'", "another length"),
    (
        concluded,
        "UPDATE commerce_agreement SET parameters = jsonb_set(parameters, '{lines,0,amount}', '1')",
        "savings that differ",
    ),
    (bidding, "DELETE FROM commerce_intent", "without its intent"),
    (bidding, "UPDATE commerce_intent SET valid_until = valid_until + interval '1 s'", "without its intent"),
    (evaluation, "UPDATE commerce_intent SET closed_at = NULL", "whose tender is not open"),
]


@pytest.mark.parametrize("stage", [bidding, evaluation, standstill, concluded])
def test_a_sound_tender_has_nothing_wrong(world: World, stage: object) -> None:
    assert callable(stage)
    stage(world)
    assert wrong() == []


@pytest.mark.parametrize(("stage", "sql", "name"), PLANTED)
def test_each_contradiction_is_found(world: World, stage: object, sql: str, name: str) -> None:
    assert callable(stage)
    stage(world)
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.rowcount > 0
    assert any(name in found for found in wrong()), wrong()


def test_every_check_has_a_contradiction_planted() -> None:
    named = {name for _stage, _sql, name in PLANTED}
    files = ("another ranking", "another length", "savings that differ")
    for check in (*verify.CHECKS, *files):
        assert any(name in check for name in named), check
