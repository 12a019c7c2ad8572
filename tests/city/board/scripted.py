"""A scripted history: several days of tenders, direct sales and what becomes of them, told through the acts alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.flows.commerce.models import Agreement
from huangpu.flows.funds import acts as funds
from huangpu.flows.process import acts as process
from huangpu.flows.process import store as trades
from huangpu.markets.tender import acts as tenders
from huangpu.markets.tender.models import Award, Line, Lot, Tender
from huangpu.markets.tender.terms import LineTerms, LotTerms, TenderTerms
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Marketplace, Membership, Organisation, Person

START = datetime(2026, 10, 28, 2, 0, tzinfo=UTC)  # 10 in the morning in Shanghai
DAY = timedelta(days=1)


@dataclass
class Script:
    """A city, a marketplace, firms that buy and sell."""

    city: Marketplace
    market: Marketplace
    buyers: list[Actor] = field(default_factory=list)
    sellers: list[Actor] = field(default_factory=list)

    def tender(self, buyer: int, at: datetime, price: str | None, *, budget: int | None, lots: int = 1) -> Tender:
        """Published at that time, opened two days later; with a price: one bid a lot, awarded and concluded."""
        actor = self.buyers[buyer]
        terms = TenderTerms(
            title=named("钢板", "Plate"), currency="CNY", procedure="open", industry="steel", budget_minor=budget,
            lots=[LotTerms([LineTerms(named("板", "Plate"), Decimal("7"), "TNE")]) for _lot in range(lots)],
            bids_until=at + 2 * DAY, questions_until=at + DAY, standstill_days=1,
        )  # fmt: skip
        made = tenders.plan(actor=actor, marketplace_id=self.market.id, terms=terms, now=at)
        tenders.publish(actor=actor, tender_id=made.id, now=at)
        if price is None:
            return made
        for place, lot in enumerate(Lot.objects.filter(tender=made).order_by("number")):
            for seller in {place, (place + 1) % len(self.sellers)}:
                asked = {line.id: Decimal(price) + (seller != place) for line in Line.objects.filter(lot=lot)}
                tenders.submit_bid(
                    actor=self.sellers[seller], tender_id=made.id, lot_id=lot.id, prices=asked, now=at + DAY
                )
        tenders.open_bids(actor=actor, tender_id=made.id, now=at + 2 * DAY)
        tenders.evaluate(actor=actor, tender_id=made.id, now=at + 2 * DAY)
        for lot in Lot.objects.filter(tender=made):
            tenders.award(actor=actor, tender_id=made.id, lot_id=lot.id, now=at + 2 * DAY)
        ends = Award.objects.filter(tender=made).latest("standstill_until").standstill_until
        assert ends is not None
        tenders.conclude(actor=actor, tender_id=made.id, now=ends)
        return made

    def sale(self, buyer: int, seller: int, at: datetime, amount: int, **more: Any) -> UUID:
        """An agreement without a tender."""
        line = {"key": "1", "name": named("卷", "Coil"), "quantity": "3", "unit": "TNE", "amount": amount}
        trade = process.conclude(
            actor=self.buyers[buyer], marketplace_id=self.market.id, template="manufacturing.purchase",
            parameters={"lines": [line], "fee": amount // 100, "pay_within": 3, "deliver_within": 9, "inspect_within": 3},
            parties={"buyer": org(self.buyers[buyer]), "seller": org(self.sellers[seller])},
            title=named("卷", "Coil"), currency="CNY", now=at, **more,
        )  # fmt: skip
        return trade.id

    def go_on(self, agreement_id: UUID, at: datetime, portions: list[str]) -> None:
        """Paid at once, then delivered and accepted in portions of what is left, a day apart."""
        self.perform(agreement_id, "hold", at)
        for step, portion in enumerate(portions, 1):
            self.perform(agreement_id, "deliver", at + step * DAY, portion)
            self.perform(agreement_id, "accept", at + step * DAY)

    def perform(self, agreement_id: UUID, action: str, at: datetime, portion: str = "1") -> None:
        trade = trades.load(agreement_id)
        parts = []
        for one in trade.promises:
            if one.action == action and one.state == "due":
                left = None if one.quantity is None else one.quantity - one.done_quantity
                part = None if left is None or portion == "1" else (left * Decimal(portion)).quantize(Decimal("0.001"))
                parts.append(process.Part(one.ordinal, part))
        role = "seller" if action == "deliver" else "buyer"
        actor = next(one for one in (*self.buyers, *self.sellers) if org(one) == trade.roles[role])
        process.perform(actor=actor, agreement_id=agreement_id, parts=parts, now=at)


def org(actor: Actor) -> UUID:
    assert actor.organisation_id is not None
    return actor.organisation_id


def begin(buyers: int = 3, sellers: int = 3, slug: str = "steel") -> Script:
    """The city with that many firms, all with money."""
    operator = Organisation.objects.create(name=named("运营", "Operator"))
    city = Marketplace.objects.filter(is_city=True).first() or Marketplace.objects.create(
        slug="city", name=named("申城", "Shencheng"), operator=operator, is_city=True
    )
    market = Marketplace.objects.create(
        slug=slug, name=named("钢市", "Steel market"), operator=operator, sectors=["manufacturing"], fee_ppm=2_000
    )
    script = Script(city, market)
    for role, number, kept in (("owner", buyers, script.buyers), ("owner", sellers, script.sellers)):
        for _place in range(number):
            firm = Organisation.objects.create(name=named("厂", "Works"), industry="steel")
            person = Person.objects.create(username=uuid7().hex)
            Membership.objects.create(organisation=firm, person=person, roles=[role])
            kept.append(Actor(person.id, firm.id, market.id, frozenset({role})))
            funds.top_up(
                actor=SYSTEM,
                marketplace_id=market.id,
                organisation_id=firm.id,
                amount=10**12,
                currency="CNY",
                now=START,
            )
    return script


def whole_story(script: Script) -> None:
    """A month's turn: tenders with and without a budget, one in lots, an open one, direct sales, parts, a refund."""
    script.tender(0, START, "91.5", budget=70_000)
    for agreement in Agreement.objects.filter(marketplace=script.market):
        script.go_on(agreement.id, START + 6 * DAY, ["0.4", "1"])
    script.tender(1, START + DAY, "100", budget=None)
    script.tender(2, START + 2 * DAY, "33.33", budget=81_003, lots=2)
    script.tender(0, START + 3 * DAY, None, budget=5)
    sale = script.sale(1, 2, START + 3 * DAY + timedelta(hours=15), 99_999)  # already the next day in Shanghai
    script.go_on(sale, START + 4 * DAY, ["0.333", "0.5", "1"])
    late = script.sale(0, 1, START + 5 * DAY, 60_000)
    script.perform(late, "hold", START + 5 * DAY)
    script.perform(late, "deliver", START + 6 * DAY, "0.5")
    script.perform(late, "accept", START + 7 * DAY)
    process.resolve(
        actor=script.buyers[0], agreement_id=late, option="cancel_undelivered", now=START + 20 * DAY, reason="late"
    )
