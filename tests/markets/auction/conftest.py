"""A marketplace with a buyer and three bidders, and an auction in one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.markets.auction import acts
from huangpu.markets.auction.models import Auction
from huangpu.markets.auction.rules import AuctionRules
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace, Organisation

OPENS = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
RULES = AuctionRules(duration_s=600, step_minor=100, step_ppm=0, window_s=60, extend_s=120, extensions_max=3)


@dataclass
class World:
    marketplace: Marketplace
    buyer: Actor
    bidders: list[Actor]
    operator: Actor
    stranger: Actor

    def scheduled(self, rules: AuctionRules = RULES, opens_at: datetime = OPENS, **changes: Any) -> Auction:
        given = {"lot_id": uuid7(), "number": "T-2026-000001", "title": named("齿轮箱", "Gearboxes"), **changes}
        starts = (100_000, 99_000, 99_000)
        return acts.schedule(
            actor=self.buyer,
            marketplace_id=self.marketplace.id,
            subject_id=uuid7(),
            currency="CNY",
            bidders=[
                (one.organisation_id, str(place), start)
                for place, (one, start) in enumerate(zip(self.bidders, starts, strict=True), 1)
            ],
            rules=rules,
            opens_at=opens_at,
            now=opens_at - timedelta(hours=1),
            **given,
        )

    def bid(self, auction: Auction, bidder: int, amount: int, seconds: float) -> acts.Answer:
        """The bidder (from 1) bids so many seconds after the opening."""
        return acts.bid(
            actor=self.bidders[bidder - 1],
            auction_id=auction.id,
            amount=amount,
            received_at=auction.planned_opens_at + timedelta(seconds=seconds),
        )


def make_world(slug: str = "auto") -> World:
    def organisation(zh: str, en: str) -> Organisation:
        return Organisation.objects.create(name=named(zh, en))

    house = organisation("上海市商务平台", "City of Shanghai")
    market = Marketplace.objects.create(slug=slug, name=named("汽车市场", "Auto market"), operator=house)

    def actor(owner: Organisation, *roles: str) -> Actor:
        return Actor(uuid7(), owner.id, market.id, roles=frozenset(roles))

    suppliers = [organisation(f"供应商{letter}", f"Supplier {letter}") for letter in "甲乙丙"]
    return World(
        marketplace=market,
        buyer=actor(organisation("浦江汽车", "Pujiang Motors"), "buyer"),
        bidders=[actor(one, "clerk") for one in suppliers],
        operator=Actor(uuid7(), house.id, market.id, market_roles=frozenset({"operator"})),
        stranger=actor(organisation("路人", "Stranger"), "clerk"),
    )


@pytest.fixture
def world(db: None) -> World:  # noqa: ARG001
    return make_world()
