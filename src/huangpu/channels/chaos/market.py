"""What is traded under fire: a marketplace with buyers, suppliers and their tokens, agreements to keep, a live auction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

SLUG = "chaos"
PRICE, FEE, QUANTITY = 1_000_000, 5_000, 1_000  # fen, fen, pieces: of one prepared agreement
MONEY = 10**14  # fen: what a buyer has at the beginning
START_PRICE = 10**12  # fen: from where the live auction falls
AUCTION_S = 6 * 3600
SUPPLIERS = 4


@dataclass(frozen=True)
class Firm:
    """An organisation and the secret of its token."""

    id: UUID
    token: str


@dataclass(frozen=True)
class Till:
    """A card terminal: DE 41 and DE 42."""

    identity: str
    merchant: str


@dataclass
class Market:
    """Who trades, and what has been prepared for them."""

    id: UUID
    buyers: list[Firm]
    suppliers: list[Firm]
    payer: Firm
    auction: UUID
    tills: list[Till] = field(default_factory=list)
    agreements: list[tuple[str, Firm, Firm]] = field(default_factory=list)  # number, buyer, seller


def open_market(agreements: int, now: datetime) -> Market:
    """Makes all of it through the acts, before anything is killed."""
    from huangpu.parties.models import Marketplace, Organisation

    operator = Organisation.objects.create(name={"en": "Operator"})
    place = Marketplace.objects.create(slug=SLUG, name={"en": "Chaos"}, operator=operator, fee_ppm=5000)
    buyers = [_firm(place.id, f"Buyer {number}", now) for number in (1, 2)]
    suppliers = [_firm(place.id, f"Supplier {number}", now) for number in range(1, SUPPLIERS + 1)]
    payer = _firm(place.id, "Payer", now)
    market = Market(place.id, buyers, suppliers, payer, _auction(place.id, buyers[0], suppliers, now))
    _rich(market, now)
    market.tills = [_till(place.id, supplier, now) for supplier in suppliers[:2]]
    for number in range(agreements):
        buyer, seller = buyers[number % len(buyers)], suppliers[number % SUPPLIERS]
        market.agreements.append((_agree(market.id, buyer, seller, now), buyer, seller))
    return market


def _firm(marketplace_id: UUID, name: str, now: datetime) -> Firm:
    from huangpu.parties.actor import Actor
    from huangpu.parties.acts.tokens import create_token
    from huangpu.parties.models import Membership, Organisation, Person

    organisation = Organisation.objects.create(name={"en": name})
    person = Person.objects.create(username=name.lower().replace(" ", "-"), name=name)
    Membership.objects.create(organisation=organisation, person=person, roles=["owner"])
    owner = Actor(person.id, organisation.id, marketplace_id, frozenset({"owner"}))
    _token, secret = create_token(actor=owner, marketplace_id=marketplace_id, name="chaos", roles=["owner"], now=now)
    return Firm(organisation.id, secret)


def _till(marketplace_id: UUID, firm: Firm, now: datetime) -> Till:
    from huangpu.parties.actor import Actor
    from huangpu.payments.terminals import acts

    owner = Actor(None, firm.id, marketplace_id, is_system=True)
    made = acts.enrol(actor=owner, marketplace_id=marketplace_id, name="Till", provider="acquirer", now=now)
    return Till(made.identity, made.merchant_code)


def _rich(market: Market, now: datetime) -> None:
    from huangpu.flows.funds import acts as funds
    from huangpu.parties.actor import SYSTEM

    for firm in (*market.buyers, market.payer):
        funds.top_up(
            actor=SYSTEM, marketplace_id=market.id, organisation_id=firm.id, amount=MONEY, currency="CNY", now=now
        )


def _auction(marketplace_id: UUID, buyer: Firm, suppliers: list[Firm], now: datetime) -> UUID:
    from huangpu.core.ids import uuid7
    from huangpu.markets.auction import acts
    from huangpu.markets.auction.rules import AuctionRules
    from huangpu.parties.actor import SYSTEM

    made = acts.schedule(
        actor=SYSTEM, marketplace_id=marketplace_id, subject_id=uuid7(), lot_id=None, currency="CNY", buyer_id=buyer.id,
        bidders=[(firm.id, f"B{place}", START_PRICE) for place, firm in enumerate(suppliers, 1)],
        rules=AuctionRules.of({"duration_s": AUCTION_S, "step_minor": 1}), opens_at=now + timedelta(seconds=1), now=now,
    )  # fmt: skip
    return made.id


def _agree(marketplace_id: UUID, buyer: Firm, seller: Firm, now: datetime) -> str:
    from huangpu.flows.process import acts
    from huangpu.parties.actor import SYSTEM

    line = {"key": "1", "name": {"en": "Bearing"}, "quantity": str(QUANTITY), "unit": "C62", "amount": PRICE}
    trade = acts.conclude(
        actor=SYSTEM, marketplace_id=marketplace_id, template="manufacturing.purchase",
        parameters={"lines": [line], "fee": FEE, "pay_within": 3, "deliver_within": 10, "inspect_within": 2},
        parties={"buyer": buyer.id, "seller": seller.id}, title={"en": "Bearings"}, currency="CNY", now=now,
    )  # fmt: skip
    return trade.number
