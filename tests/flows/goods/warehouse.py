"""A warehouse to test with: the small city's seller has two places, two items and a keeper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from huangpu.core.names import named
from huangpu.flows.commerce import acts as commerce
from huangpu.flows.commerce.models import Item
from huangpu.flows.goods import acts
from huangpu.flows.goods.models import Place, Stock
from huangpu.flows.goods.rules import Balance
from huangpu.parties.actor import Actor
from huangpu.parties.models import Membership, Organisation, Person
from tests.small_city import City, found

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
D = Decimal
GTIN, GLN = "06901234567892", "6901234567892"


@dataclass
class Warehouse:
    city: City
    yard: Place
    shop: Place
    gate: Place  # the buyer's
    coil: Item  # by weight, with a GTIN
    pump: Item  # in pieces
    keeper: Person

    def actor(self, *roles: str, of: Organisation | None = None) -> Actor:
        organisation = of or self.city.seller
        return Actor(self.keeper.pk, organisation.pk, self.city.market.pk, frozenset(roles or ("warehouse",)))

    def take_in(
        self, item: Item, quantity: str, lot: str = "", serials: tuple[str, ...] = (), at: Place | None = None
    ) -> Balance:
        return acts.take_in(
            actor=self.actor(), marketplace_id=self.city.market.pk, place_id=(at or self.yard).pk, item_id=item.pk,
            quantity=D(quantity), lot=lot, serials=serials, now=NOW,
        )  # fmt: skip

    def on_hand(self, of: Balance | UUID) -> Decimal:
        return Stock.objects.get(pk=of if isinstance(of, UUID) else of.id).on_hand


def build() -> Warehouse:
    city = found()
    keeper = Person.objects.create_user("keeper", "keeper@demo.invalid", "a-long-password", name="何仓 He Cang")
    Membership.objects.create(organisation=city.seller, person=keeper, roles=["warehouse"])
    owner = Actor(keeper.pk, city.seller.pk, city.market.pk, frozenset({"owner"}))
    buyer = Actor(city.owner.pk, city.buyer.pk, city.market.pk, frozenset({"owner"}))
    yard = acts.open_place(
        actor=owner, organisation_id=city.seller.pk, code="W1", name=named("一号库", "Warehouse 1"), gln=GLN, now=NOW
    )
    shop = acts.open_place(actor=owner, organisation_id=city.seller.pk, code="S1", name=named("门店", "Shop"), now=NOW)
    gate = acts.open_place(
        actor=buyer, organisation_id=city.buyer.pk, code="G1", name=named("东门", "East gate"), now=NOW
    )
    facts = (
        commerce.ItemFacts("M001", named("热轧卷", "Hot-rolled coil"), "TNE", GTIN),
        commerce.ItemFacts("M002", named("水泵", "Pump"), "C62"),
    )
    coil, pump = (commerce.create_item(actor=owner, marketplace_id=city.market.pk, facts=one, now=NOW) for one in facts)
    return Warehouse(city, yard, shop, gate, coil, pump, keeper)
