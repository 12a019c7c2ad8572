"""Every act with every role, on the own object and on a neighbour's; the table's words are the law."""

from __future__ import annotations

from typing import Any

import pytest

from huangpu.core.errors import HuangpuError, Refused
from huangpu.core.ids import uuid7
from huangpu.markets.tender.models import Tender
from huangpu.markets.tender.rights import ACTS, SUPPLIERS, allowed, may
from huangpu.parties.actor import ANONYMOUS, SYSTEM, Actor
from huangpu.parties.rights import CITY_ROLES, ORGANISATION_ROLES

BUYER, MARKET, OTHER = uuid7(), uuid7(), uuid7()
NEW = frozenset({"plan"})
NAMES = [name.split(".")[1] for name in ACTS]


def tender() -> Tender:
    return Tender(id=uuid7(), marketplace_id=MARKET, buyer_id=BUYER, procedure="open", stage="open")


def actor(organisation: Any, *roles: str, market: Any = MARKET, **more: Any) -> Actor:
    return Actor(uuid7(), organisation, market, frozenset(roles), **more)


@pytest.mark.parametrize("act", NAMES)
@pytest.mark.parametrize("role", ORGANISATION_ROLES)
def test_roles_count_on_their_own_side_only(act: str, role: str) -> None:
    rule = ACTS[f"tender.{act}"]
    holds = role in rule.roles or (role == "owner" and bool(rule.roles)) or rule.everybody
    supplier_act = act in SUPPLIERS
    for organisation, own in ((BUYER, True), (OTHER, False)):
        if act in NEW:
            expected = holds
        elif supplier_act:
            expected = holds and not own
        else:
            expected = (holds and own) or rule.everybody
        assert allowed(actor(organisation, role), act, None if act in NEW else tender()) is expected


@pytest.mark.parametrize("act", NAMES)
def test_offices_do_not_buy_bid_or_open(act: str) -> None:
    offices = [
        actor(OTHER, market_roles=frozenset({"operator"})),
        *(actor(None, city_roles=frozenset({role})) for role in CITY_ROLES),
    ]
    for office in offices:
        assert allowed(office, act, tender()) is ACTS[f"tender.{act}"].everybody
    assert allowed(actor(OTHER, market_roles=frozenset({"arbiter"})), act, tender()) is (
        act in ("decide_complaint", "read")
    )
    assert allowed(ANONYMOUS, act, tender()) is ACTS[f"tender.{act}"].everybody
    assert allowed(SYSTEM, act, tender())


@pytest.mark.parametrize("act", [name for name in NAMES if name not in ("plan",)])
def test_an_actor_on_another_marketplace_is_refused(act: str) -> None:
    there = actor(BUYER, "owner", market=uuid7(), market_roles=frozenset({"arbiter"}))
    with pytest.raises(Refused) as wrong:
        may(there, act, tender())
    assert wrong.value.code == "tender.other_marketplace"


def test_the_reason_of_a_refusal_is_told() -> None:
    cases: list[tuple[Actor, str, str]] = [
        (actor(BUYER, "auditor"), "publish", "rights.role_missing"),
        (actor(OTHER, "owner"), "publish", "rights.other_organisation"),
        (actor(BUYER, "owner"), "submit_bid", "tender.own_tender"),
        (actor(OTHER, "buyer"), "submit_bid", "rights.role_missing"),
        (ANONYMOUS, "submit_bid", "rights.not_signed_in"),
        (actor(None), "plan", "rights.no_organisation"),
    ]
    for who, act, code in cases:
        with pytest.raises(HuangpuError) as wrong:
            may(who, act, None if act in NEW else tender())
        assert wrong.value.code == code
