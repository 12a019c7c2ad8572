"""A tender by API alone, from draft to award; what each reader is shown; what a wrong call is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.flows.process import approvals
from huangpu.markets.tender import rules
from huangpu.parties.actor import Actor

from .conftest import DEADLINE, START, World

DRAFT: dict[str, Any] = {
    "title": {"zh-hans": "轴承采购", "en": "Bearings"},
    "currency": "CNY",
    "procedure": "open",
    "lots": [{"lines": [{"name": {"zh-hans": "轴承"}, "quantity": "100.5", "unit": "C62"}], "budget_minor": 2_000_000}],
    "criteria": [{"code": "quality", "name": {"zh-hans": "质量", "en": "Quality"}, "weight": 300}],
    "bids_until": DEADLINE.isoformat(),
    "standstill_days": 1,
}


class Caller:
    """A signed-in person calling the API of the world's marketplace."""

    def __init__(self, world: World, actor: Actor | None) -> None:
        self.client, self.base = Client(), f"/api/v1/m/{world.marketplace.slug}"
        if actor is not None:
            from huangpu.parties.models import Person

            self.client.force_login(
                Person.objects.get(pk=actor.person_id), backend="django.contrib.auth.backends.ModelBackend"
            )

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(self.base + path, query)

    def send(self, path: str, body: Any = None, method: str = "post", status: int = 200) -> Any:
        answer = getattr(self.client, method)(
            self.base + path, json.dumps(body or {}), content_type="application/json", HTTP_IDEMPOTENCY_KEY=uuid7().hex
        )
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock of the doors."""
    monkeypatch.setattr(clock, "now", lambda: START)
    return lambda instant: monkeypatch.setattr(clock, "now", lambda: instant)


def test_from_draft_to_award_by_api(world: World, at: Any) -> None:
    buyer, approver = Caller(world, world.buyer), Caller(world, world.approver)
    suppliers = [Caller(world, who) for who in world.suppliers[:2]]
    draft = buyer.send("/tenders", DRAFT, status=201)
    address = f"/tenders/{draft['id']}"
    assert suppliers[0].get(address).status_code == 404  # a draft is its buyer's own
    edited = buyer.send(address, {**DRAFT, "two_persons": True, "version": 1}, method="put")
    assert (edited["version"], edited["two_persons"], edited["acts"]) == (
        2,
        True,
        ["attach", "cancel", "edit", "publish"],
    )
    lot, line = edited["lots"][0]["id"], edited["lots"][0]["lines"][0]["id"]
    assert edited["lots"][0]["lines"][0]["quantity"] == "100.5"
    buyer.send(f"{address}/publish")
    question = suppliers[0].send(f"{address}/questions", {"text": "内径？"}, status=201)
    buyer.send(f"/questions/{question['id']}/answer", {"text": "50 mm"})
    for supplier, price in zip(suppliers, ("120.25", "110"), strict=True):
        bid = {"lot": lot, "prices": [{"line": line, "unit_price": price}], "note": "现货"}
        receipt = supplier.send(f"{address}/bids", bid, status=201)
        assert "amount_minor" not in receipt
        assert len(receipt["receipt"]) == 64
    seen = buyer.get(address).json()
    assert (seen["bidders"], seen["lots"][0]["bids"], seen["my_bids"]) == (None, [], [])
    at(DEADLINE)
    opened = buyer.send(f"{address}/open")
    assert [bid["amount_minor"] for bid in opened["lots"][0]["bids"]] == [1_208_513, 1_105_500]
    for points, bid in zip(("90", "70.5"), opened["lots"][0]["bids"], strict=True):
        buyer.send(f"/bids/{bid['id']}/scores", {"criterion": "quality", "points": points}, method="put")
    file = buyer.send(f"{address}/evaluate")["lots"][0]["evaluation"]
    assert [str(r.contender.bid_id) for r in rules.recompute(file)] == [bid["bid"] for bid in file["bids"]]
    assert Caller(world, None).get(address).json()["lots"][0]["evaluation"] is None  # not before the award
    buyer.send(f"{address}/awards", {"lot": lot}, status=403)
    award = approver.send(f"{address}/awards", {"lot": lot}, status=201)
    public = Caller(world, None).get(address).json()
    assert (public["stage"], public["lots"][0]["award"]["id"]) == ("standstill", award["id"])
    assert public["lots"][0]["bids"][0]["lines"] == []  # unit prices are the buyer's and the bidder's own
    assert public["saving"]["saved_minor"] == 2_000_000 - award["amount_minor"]


def test_the_list_is_searched_filtered_and_paged(world: World, at: Any) -> None:  # noqa: ARG001
    buyer, stranger = Caller(world, world.buyer), Caller(world, None)
    for place in range(3):
        made = buyer.send("/tenders", {**DRAFT, "industry": "machinery" if place else "steel"}, status=201)
        if place < 2:
            buyer.send(f"/tenders/{made['id']}/publish")
    assert len(buyer.get("/tenders").json()["items"]) == 3
    assert len(stranger.get("/tenders").json()["items"]) == 2
    for query, found in (
        ({"text": "轴承"}, 2),
        ({"text": "承采"}, 2),
        ({"text": "bear"}, 2),
        ({"text": "上海重工"}, 2),
        ({"text": "齿轮"}, 0),
        ({"text": "轴承", "industry": "steel"}, 1),
        ({"stage": "evaluation"}, 0),
        ({"budget_from": 2_000_001}, 0),
        ({"budget_to": 2_000_000}, 2),
    ):
        assert len(stranger.get("/tenders", **query).json()["items"]) == found, query
    first = stranger.get("/tenders", limit=1).json()
    second = stranger.client.get(first["next"]).json()
    assert first["items"][0]["number"] > second["items"][0]["number"]
    assert second["next"] is None
    assert len(buyer.get("/tenders", mine="buying").json()["items"]) == 3
    assert len(buyer.get("/tenders", mine="bidding").json()["items"]) == 0


def test_a_wrong_draft_names_each_field(world: World, at: Any) -> None:  # noqa: ARG001
    wrong = {**DRAFT, "title": {}, "currency": "RMB", "standstill_days": 400}
    told = Caller(world, world.buyer).send("/tenders", wrong, status=422)
    assert {flaw["field"]: flaw["code"] for flaw in told["errors"]} == {
        "title": "tender.title_missing",
        "currency": "currency.unknown",
        "standstill_days": "tender.days_invalid",
    }


def test_another_marketplace_knows_nothing_of_it(world: World, at: Any) -> None:  # noqa: ARG001
    from .conftest import make_world

    tender = world.published()
    there = make_world()
    for caller in (Caller(there, there.buyer), Caller(there, world.buyer)):
        assert caller.get(f"/tenders/{tender.id}").status_code == 404
        caller.send(f"/tenders/{tender.id}/cancel", {"reason": "x"}, status=404)
    world.at = START + timedelta(hours=1)
    assert world.bid(tender, 0, "10").status == "sealed"


def test_an_approval_that_is_needed_is_asked_for(world: World, at: Any) -> None:  # noqa: ARG001
    owner = replace(world.buyer, roles=frozenset({"owner"}))
    approvals.set_rule(actor=owner, act_name="tender.publish", currency="CNY", amount_from=1, persons=1, now=START)
    tender, buyer = world.plan(), Caller(world, world.buyer)
    refused = buyer.send(f"/tenders/{tender.id}/publish", status=403)
    assert refused["code"] == "approval.needed"
    Caller(world, world.neighbour).send(f"/tenders/{tender.id}/approval", status=404)  # a draft is its buyer's own
    task = buyer.send(f"/tenders/{tender.id}/approval", status=201)
    assert (task["act"], task["state"], task["persons"]) == ("tender.publish", "open", 1)
    approvals.decide(actor=world.approver, task_id=UUID(task["id"]), approves=True, now=START)
    assert buyer.send(f"/tenders/{tender.id}/publish")["stage"] == "open"
