"""One of everything, and one reader of every kind: what the matrices of pages and of operations are tried on.

The buyer's organisation has a draft, an open tender with a question and sealed bids, an opened one, an awarded one with a
complaint, a concluded one whose trade waits for its money, another one whose amendment waits for the supplier; an auction
that runs; an item in stock, a place beside it, a shipment; a task, an invitation, a token, a document and a webhook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.test import Client

from huangpu.core import clock
from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.core.partition import ensure_partitions
from huangpu.flows.commerce import acts as commerce
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds import days
from huangpu.flows.funds.models import Account
from huangpu.flows.funds.rules import AccountSpec
from huangpu.flows.goods import acts as goods
from huangpu.flows.goods.models import Shipment
from huangpu.flows.information import acts as information
from huangpu.flows.information import webhooks
from huangpu.flows.information.models import Delivery
from huangpu.flows.process import amendments
from huangpu.flows.process.amending import Change
from huangpu.flows.process.models import Task
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction.rules import AuctionRules
from huangpu.markets.history.files import found, take
from huangpu.markets.history.models import Procedure
from huangpu.markets.history.standards.ocds.schema import DATA
from huangpu.markets.tender import acts, sealing
from huangpu.markets.tender.models import Award, Bid, Complaint, Line, Lot, Question, Tender
from huangpu.parties import acts as parties
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Marketplace, MarketplaceRole, Membership, Organisation, Person
from huangpu.parties.rights import CITY_ROLES, MARKETPLACE_ROLES, ORGANISATION_ROLES
from huangpu.payments.checkout import acts as checkouts
from huangpu.payments.clearing import acts as clearing
from huangpu.payments.clearing.models import Window
from huangpu.payments.operations import asking, disputes
from huangpu.payments.reconciliation import acts as reconciling
from huangpu.payments.terminals import acts as terminals
from huangpu.payments.wallets import acts as wallets
from tests.markets.tender.conftest import World, make_world

MATRIX = Path(__file__).parents[1] / "docs" / "reference" / "rights.md"


@cache
def matrix() -> dict[str, frozenset[str]]:
    """The documented matrix: an act's name → the columns that are marked."""
    rows: dict[str, frozenset[str]] = {}
    heads: list[str] = []
    for line in MATRIX.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "act":
            heads = cells
        elif re.fullmatch(r"`[\w.]+`", cells[0]):
            rows[cells[0].strip("`")] = frozenset(head for head, cell in zip(heads, cells, strict=True) if cell == "●")
    return rows


OWN = frozenset({"buyer", "supplier", "neighbour"})  # what everybody does with the organisation acted for


@dataclass(frozen=True)
class Reader:
    """Who asks: `column` is what the matrix calls the role; `side` the organisation the person acts for."""

    side: str  # buyer, supplier, neighbour, or "" for nobody's
    column: str
    client: Client

    @property
    def name(self) -> str:
        return f"{self.side}'s {self.column}" if self.side else self.column


@dataclass(frozen=True)
class Door:
    """`act`: in the matrix; `sides`: whose roles count; `body`, `at`: of the request, `{name}` taken from the world."""

    act: str
    sides: frozenset[str] = OWN
    body: Any = None
    at: dict[str, str] = field(default_factory=dict)
    columns: frozenset[str] | None = None  # where the act's own rule is narrower than its line in the matrix
    form: dict[str, Any] | None = None
    upload: str = ""  # the field of the form that a file is sent in
    refusal: str = ""  # the code that tells that it is not one's own, where that is no 401, 403 or 404
    listed: bool = False  # open to all, and empty for whom the matrix does not name

    def open_to(self, reader: Reader) -> bool:
        marked = matrix()[self.act] if self.columns is None else self.columns
        if "anybody" in marked:
            return True
        if reader.column == "anybody":
            return False
        if "signed in" in marked:
            return True
        if reader.side == "elsewhere":
            return False
        return reader.column in marked and (not reader.side or reader.side in self.sides)


def readers_of(world: World) -> list[Reader]:
    """Every role in the buyer's and the supplier's organisation, a neighbour's owner, every office, and no role at all."""
    sides = {"buyer": world.buyer, "supplier": world.suppliers[0], "neighbour": world.neighbour}
    readers = [Reader("", "anybody", Client()), Reader("", "signed in", _client())]
    for side, actor in sides.items():
        for role in ORGANISATION_ROLES if side != "neighbour" else ("owner",):
            readers.append(Reader(side, role, _client(actor.organisation_id, role)))
    for role in MARKETPLACE_ROLES:
        readers.append(Reader("", role, _client(market=world.marketplace, office=role)))
    for role in CITY_ROLES:
        readers.append(Reader("", f"city {role}", _client(city=role)))
    elsewhere = Marketplace.objects.create(
        slug="elsewhere", name=named("别处", "Elsewhere"), operator=world.marketplace.operator
    )
    readers.append(Reader("elsewhere", "operator", _client(market=elsewhere, office="operator")))
    return readers


def _client(
    organisation: UUID | None = None,
    role: str = "",
    market: Marketplace | None = None,
    office: str = "",
    city: str = "",
) -> Client:
    person = Person.objects.create(username=uuid4().hex, name="甲", city_roles=[city] if city else [])
    if organisation:
        Membership.objects.create(organisation_id=organisation, person=person, roles=[role])
    if market:
        MarketplaceRole.objects.create(marketplace=market, person=person, role=office)
    client = Client(raise_request_exception=False)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make() -> tuple[World, dict[str, Any]]:
    """A world, and the ids and numbers of its things by the names that doors use for them."""
    now = clock.now()
    ensure_partitions(now)
    house = Organisation.objects.create(name=named("城市", "City"))
    Marketplace.objects.create(slug="city", name=named("城市", "City"), operator=house, is_city=True)
    world = make_world()
    world.marketplace.sectors = ["manufacturing"]
    world.marketplace.save()
    owner = Actor(world.buyer.person_id, world.buyer.organisation_id, world.marketplace.id, frozenset({"owner"}))
    known: dict[str, Any] = {
        "marketplace": world.marketplace.slug,
        "slug": world.marketplace.slug,
        "market_id": str(world.marketplace.pk),
        "currency": "CNY",
        "organisation_id": str(world.buyer.organisation_id),
        "buyer": str(world.buyer.organisation_id),
        "third": str(world.suppliers[2].organisation_id),
        "supplier": str(world.suppliers[0].organisation_id),
        "buyer_person": str(world.buyer.person_id),
        "person": str(Person.objects.create(username="somebody").pk),
        "arbiter_person": str(world.arbiter.person_id),
    }
    _tenders(world, known, now)
    _running_auction(world, known, now)
    _warehouse(world, owner, known, now)
    task = Task.objects.create(
        marketplace_id=world.marketplace.pk, organisation_id=world.buyer.organisation_id, act="tender.award",
        subject_id=known["opened"], amount=5, currency="CNY", role="approver", persons=1,
    )  # fmt: skip
    known["task"] = str(task.pk)
    invitation = parties.invite(actor=owner, organisation_id=owner.organisation_id, roles=["clerk"], email="", now=now)
    known["invitation_id"], known["secret"] = str(invitation[0].pk), invitation[1]
    token = parties.create_token(actor=owner, marketplace_id=world.marketplace.pk, name="ERP", roles=["buyer"], now=now)
    known["token_id"] = str(token[0].pk)
    document, other = (
        information.store_document(
            actor=world.buyer, marketplace_id=world.marketplace.pk, content=b"%PDF-1.7\n%%EOF\n", filename=filename,
            audience=[world.buyer.organisation_id], now=now,
        )
        for filename in ("a.pdf", "b.pdf")
    )  # fmt: skip
    known["document_id"] = str(document.pk)
    attached = acts.attach(
        actor=world.buyer,
        tender_id=UUID(known["draft"]),
        document_id=other.pk,
        kind="technicalSpecifications",
        title="B",
        now=now,
    )
    known["attachment"] = str(attached.pk)
    endpoint, _secret = webhooks.register_endpoint(
        actor=owner, marketplace_id=world.marketplace.pk, url="https://example.org/hook", kinds=[], now=now
    )
    known["endpoint_id"] = str(endpoint.pk)
    delivery = Delivery.objects.create(
        endpoint=endpoint, event_id=uuid4(), position=1, kind="tender.published", created_at=now
    )
    known["delivery_id"] = str(delivery.pk)
    take(found([DATA / "records"])[0], actor=SYSTEM, marketplace_id=world.marketplace.pk, clock=clock.now)
    known["procedure"] = str(Procedure.objects.values_list("pk", flat=True)[0])
    known["closed_day"] = _closed_day(world.marketplace.pk, now)
    _payments(world, known, now)
    return world, known


def _payments(world: World, known: dict[str, Any], now: datetime) -> None:
    """What the buyer asks for: one request that is open, and one that a supplier has paid from its wallet."""
    market = world.marketplace.pk
    buyer, payer = (
        replace(world.buyer, roles=frozenset({"owner"})),
        replace(world.suppliers[0], roles=frozenset({"owner"})),
    )
    asked = checkouts.Asked("Lamps", 500, "CNY")
    made, paid = (
        checkouts.open_checkout(actor=buyer, marketplace_id=market, asked=asked, now=now) for _number in range(2)
    )
    assert payer.organisation_id is not None
    funds.top_up(actor=SYSTEM, marketplace_id=market, organisation_id=payer.organisation_id, amount=500, currency="CNY",
                 now=now)  # fmt: skip
    operation = checkouts.pay_from_wallet(actor=payer, checkout_id=paid.pk, operation_id=uuid7(), now=now)
    assert asking.attempt(operation, now=now) == "succeeded"
    paid.refresh_from_db()
    other = replace(world.suppliers[1], roles=frozenset({"owner"}))  # whom all who are asked for may pay
    known["token"] = checkouts.open_checkout(actor=other, marketplace_id=market, asked=asked, now=now).token
    known["checkout"] = known["checkout_id"] = str(made.pk)
    known["payment"] = str(paid.payment_id)
    known["payment_id"] = known["payment"]
    till = terminals.enrol(actor=buyer, marketplace_id=market, name="Till", provider="wallet", now=now)
    known["terminal"], known["identity"] = str(till.pk), till.identity
    assert buyer.organisation_id is not None
    funds.top_up(
        actor=SYSTEM, marketplace_id=market, organisation_id=buyer.organisation_id, amount=5, currency="CNY", now=now
    )
    sent = wallets.send(
        actor=buyer, marketplace_id=market, receiver_id=payer.organisation_id, amount=5, currency="CNY", now=now
    )
    known["sending"] = str(sent.pk)
    dispute = disputes.open_dispute(actor=SYSTEM, payment_id=UUID(known["payment"]), reference="D-1", amount=1, reason="fraud",
                                    now=now)  # fmt: skip
    known["dispute"] = str(dispute.pk)
    statement = reconciling.load(
        actor=SYSTEM, marketplace_id=market, provider="pujiang", currency="CNY", span=(now, now + timedelta(days=1)),
        balances=(0, 0), lines=[], now=now,
    )  # fmt: skip
    known["statement"] = str(statement)
    clearing.gather(marketplace_id=market, currency="CNY", now=now)
    known["window_id"] = str(Window.objects.get(marketplace_id=market).pk)


def _closed_day(market: UUID, now: datetime) -> str:
    """Yesterday, in a ledger that has been there since."""
    funds.ensure_accounts([AccountSpec(market, "bank", None, "CNY")])
    Account.objects.filter(marketplace_id=market).update(opened_at=now - timedelta(days=1))
    day = days.due(market, now)[-1]
    days.close_day(actor=SYSTEM, marketplace_id=market, day=day, now=now)
    return day.isoformat()


def _tenders(world: World, known: dict[str, Any], now: datetime) -> None:
    soon = {"bids_until": now + timedelta(days=3), "questions_until": None, "standstill_days": 3}
    world.at = now
    known["draft"] = world.plan(**soon)
    known["open"] = live = world.published(**{**soon, "questions_until": now + timedelta(days=2)})
    acts.ask(actor=world.suppliers[0], tender_id=live.id, text="？", now=now)
    known["question"] = str(Question.objects.get(tender=live).pk)
    known["bid"] = str(world.bid(live, 0, "900").pk)
    ended = [_opened(world, now, days, **more) for days, more in ((2, {}), (2, {}), (30, {}), (30, {}))]
    known["opened"], awarded, concluded, amended = ended
    known["opened_bid"] = str(Bid.objects.filter(tender=known["opened"]).values_list("pk", flat=True)[0])
    known["opened_lot"] = str(Lot.objects.get(tender=known["opened"]).pk)
    known["awarded"], known["awarded_lot"] = awarded, str(Lot.objects.get(tender=awarded).pk)
    acts.evaluate(actor=world.buyer, tender_id=known["opened"].id, now=now)
    before = now - timedelta(days=28)
    for tender, when in ((awarded, now), (concluded, before), (amended, before)):
        acts.evaluate(actor=world.buyer, tender_id=tender.id, now=when)
        acts.award(actor=world.buyer, tender_id=tender.id, lot_id=Lot.objects.get(tender=tender).pk, now=when)
    known["award"] = str(Award.objects.get(tender=awarded).pk)
    acts.complain(actor=world.suppliers[1], tender_id=awarded.id, lot_id=UUID(known["awarded_lot"]), text="？", now=now)
    known["complaint"] = str(Complaint.objects.get(tender=awarded).pk)
    for tender in (concluded, amended):
        acts.conclude(actor=world.buyer, tender_id=tender.id, now=now)
    trade, other = (Agreement.objects.get(origin_id=tender.id) for tender in (concluded, amended))
    known["trade"], known["amended_trade"], known["amendment"] = trade.number, other.number, "1"
    line = Change(quantity=Decimal(1), amount=100, unit="C62", name=named("螺栓", "Bolts"))
    amendments.propose_amendment(actor=world.buyer, agreement_id=other.id, changes=[line], now=now)
    for action in ("hold", "deliver", "accept", "invoice"):
        known[action] = Commitment.objects.filter(agreement=trade, action=action).order_by("ordinal")[0].ordinal
    known["open_lot"] = str(Lot.objects.get(tender=live).pk)
    known["open_line"] = str(Line.objects.filter(lot__tender=live).values_list("pk", flat=True)[0])
    for name in ("draft", "open", "opened", "awarded"):
        tender = known[name]
        known[name], known[f"{name}_number"] = str(tender.pk), tender.number


def _warehouse(world: World, owner: Actor, known: dict[str, Any], now: datetime) -> None:
    """Three pieces of an item at one of the buyer's two places, and a delivery from the supplier."""
    house = world.buyer.organisation_id
    assert house is not None
    facts = commerce.ItemFacts(code="M-1", name=named("电机", "Motor"), unit="C62")
    item = commerce.create_item(actor=owner, marketplace_id=world.marketplace.pk, facts=facts, now=now)
    place, other = (
        goods.open_place(actor=owner, organisation_id=house, code=code, name=named("仓库", "Store"), now=now)
        for code in ("W1", "W2")
    )
    stock = goods.take_in(
        actor=owner,
        marketplace_id=world.marketplace.pk,
        place_id=place.pk,
        item_id=item.pk,
        quantity=Decimal(3),
        now=now,
    )
    shipment = Shipment.objects.create(
        marketplace_id=world.marketplace.pk, reference_id=Agreement.objects.get(number=known["trade"]).pk, event_id=uuid4(),
        sender_id=known["supplier"], receiver_id=house, shipped_at=now,
    )  # fmt: skip
    known.update(item_id=str(item.pk), place_id=str(place.pk), other_place=str(other.pk), stock_id=str(stock.id),
                 shipment_id=str(shipment.pk))  # fmt: skip


def _opened(world: World, now: datetime, days: int, **more: Any) -> Tender:
    """A tender whose two bids were opened so many days ago."""
    world.at, end = now - timedelta(days=days + 1), now - timedelta(days=days)
    tender = world.published(bids_until=end, questions_until=None, standstill_days=3, **more)
    world.bid(tender, 0, "900", at=world.at)
    world.bid(tender, 1, "990", at=world.at)
    return acts.open_bids(actor=world.buyer, tender_id=tender.id, now=end)


def _running_auction(world: World, known: Mapping[str, Any], now: datetime) -> None:
    rules = AuctionRules(duration_s=3600, step_minor=100, step_ppm=0)
    made = auctions.schedule(
        actor=world.buyer, marketplace_id=world.marketplace.pk, subject_id=UUID(known["opened"]), lot_id=None,
        currency="CNY", rules=rules,
        bidders=[(one.organisation_id, f"#{place}", 1_000_000) for place, one in enumerate(world.suppliers[:2], 1)],
        opens_at=now, now=now - timedelta(seconds=60), is_public=False,
    )  # fmt: skip
    known["auction"] = str(made.pk)  # type: ignore[index]


@dataclass
class Place:
    readers: list[Reader]
    known: dict[str, Any]


@pytest.fixture(scope="module")
def world_of_everything(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory  # noqa: ARG001
) -> Iterator[Place]:  # fmt: skip
    from django.conf import settings

    store = sealing.FolderKeyStore(tmp_path_factory.mktemp("keys"))
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        for module in (sealing, acts.bidding, acts.drafting):
            patch.setattr(module, "keys", lambda: store)
        patch.setattr(settings, "MEDIA_ROOT", tmp_path_factory.mktemp("files"))
        world, known = make()
        yield Place(readers_of(world), known)
        transaction.set_rollback(True)


def filled(given: Any, known: dict[str, Any]) -> Any:
    if isinstance(given, dict):
        return {name: filled(value, known) for name, value in given.items()}
    if isinstance(given, list):
        return [filled(value, known) for value in given]
    if isinstance(given, str) and given.startswith("{") and given.endswith("}"):
        return known[given[1:-1]]
    return given
