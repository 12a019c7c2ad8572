"""A buyer, three suppliers and a stranger on one marketplace; a tender at any stage in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.markets.tender import acts, sealing
from huangpu.markets.tender.models import Bid, Line, Lot, Tender
from huangpu.markets.tender.terms import LineTerms, LotTerms, TenderTerms
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace, MarketplaceRole, Membership, Organisation, Person

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DEADLINE = START + timedelta(days=3)


@contextmanager
def refused(kind: type[HuangpuError]) -> Iterator[pytest.ExceptionInfo[HuangpuError]]:
    """An act that fails takes its transaction with it: here it has a savepoint of its own, and the test goes on."""
    with pytest.raises(kind) as info, transaction.atomic():
        yield info


def lot_terms(*lines: tuple[str, str, str], budget: int | None = None) -> LotTerms:
    made = [LineTerms(named(name, name), Decimal(quantity), unit) for name, quantity, unit in lines]
    return LotTerms(made, budget_minor=budget)


def terms(**changes: Any) -> TenderTerms:
    plain = TenderTerms(
        title=named("齿轮箱采购", "Gearboxes"),
        currency="CNY",
        procedure="open",
        lots=[lot_terms(("齿轮箱", "12", "C62"), ("润滑油", "2.5", "TNE"), budget=10_000_000)],
        bids_until=DEADLINE,
        questions_until=DEADLINE - timedelta(days=1),
        standstill_days=3,
    )
    return replace(plain, **changes)


@dataclass
class World:
    """People and organisations; `at` is what the clock says."""

    marketplace: Marketplace
    buyer: Actor
    approver: Actor
    auditor: Actor
    suppliers: list[Actor]
    neighbour: Actor  # buys too, elsewhere
    operator: Actor
    arbiter: Actor
    regulator: Actor
    at: datetime = START
    people: list[Person] = field(default_factory=list)

    def plan(self, **changes: Any) -> Tender:
        return acts.plan(actor=self.buyer, marketplace_id=self.marketplace.id, terms=terms(**changes), now=self.at)

    def published(self, **changes: Any) -> Tender:
        return acts.publish(actor=self.buyer, tender_id=self.plan(**changes).id, now=self.at)

    def bid(self, tender: Tender, supplier: int, price: str, *, lot: int = 1, at: datetime | None = None) -> Bid:
        """A bid with this unit price on every line of the lot."""
        made = Lot.objects.get(tender=tender, number=lot)
        prices = {line.id: Decimal(price) for line in Line.objects.filter(lot=made)}
        return acts.submit_bid(
            actor=self.suppliers[supplier], tender_id=tender.id, lot_id=made.id, prices=prices, now=at or self.at
        )

    def opened(self, *prices: str, **changes: Any) -> Tender:
        tender = self.published(**changes)
        for place, price in enumerate(prices):
            self.bid(tender, place, price, at=self.at + timedelta(minutes=place))
        return acts.open_bids(actor=self.buyer, tender_id=tender.id, now=DEADLINE)

    def awarded(self, *prices: str, **changes: Any) -> Tender:
        tender = self.opened(*prices, **changes)
        acts.evaluate(actor=self.buyer, tender_id=tender.id, now=DEADLINE)
        for lot in Lot.objects.filter(tender=tender, status="active").order_by("number"):
            acts.award(actor=self.approver, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
        tender.refresh_from_db()
        return tender


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sealing.FolderKeyStore:
    """Keys of a test live and go with it."""
    store = sealing.FolderKeyStore(tmp_path / "keys")
    for module in (sealing, acts.bidding, acts.drafting):
        monkeypatch.setattr(module, "keys", lambda: store)
    return store


@pytest.fixture
def keys(_keys: sealing.FolderKeyStore) -> sealing.FolderKeyStore:
    return _keys


@pytest.fixture
def world(db: None) -> World:  # noqa: ARG001
    return make_world()


def make_world() -> World:
    operator = Organisation.objects.create(name=named("市场运营", "Operator"))
    marketplace = Marketplace.objects.create(
        slug=f"m{uuid7().hex[-8:]}", name=named("制造业市场", "Manufacturing"), operator=operator
    )

    def actor(organisation: UUID | None, *roles: str, **more: Any) -> Actor:
        person = Person.objects.create(username=uuid7().hex, city_roles=sorted(more.get("city_roles", ())))
        if organisation is not None:
            Membership.objects.create(organisation_id=organisation, person=person, roles=list(roles))
        for role in more.get("market_roles", ()):
            MarketplaceRole.objects.create(marketplace=marketplace, person=person, role=role)
        return Actor(person.id, organisation, marketplace.id, frozenset(roles), **more)

    buyer = Organisation.objects.create(name=named("上海重工", "Shanghai Heavy"))
    suppliers = [Organisation.objects.create(name=named(f"供应商{n}", f"Supplier {n}")) for n in range(1, 5)]
    neighbour = Organisation.objects.create(name=named("邻厂", "Neighbour"))
    return World(
        marketplace=marketplace,
        buyer=actor(buyer.id, "buyer"),
        approver=actor(buyer.id, "approver"),
        auditor=actor(buyer.id, "auditor"),
        suppliers=[actor(supplier.id, "clerk") for supplier in suppliers],
        neighbour=actor(neighbour.id, "owner"),
        operator=actor(operator.id, "owner", market_roles=frozenset({"operator"})),
        arbiter=actor(operator.id, market_roles=frozenset({"arbiter"})),
        regulator=actor(None, city_roles=frozenset({"regulator"})),
    )
