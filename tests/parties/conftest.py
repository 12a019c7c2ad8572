"""A small city: two organisations, a city operator, a marketplace with its operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from huangpu.core.names import named
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace, MarketplaceRole, Membership, Organisation, Person
from huangpu.parties.queries import actor_for

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass
class City:
    city: Marketplace
    market: Marketplace
    other_market: Marketplace
    buyer: Organisation
    seller: Organisation
    people: dict[str, Person]

    def actor(self, name: str, organisation: Organisation | None = None, market: Marketplace | None = None) -> Actor:
        return actor_for(
            person_id=self.people[name].pk,
            organisation_id=organisation.pk if organisation else None,
            marketplace_id=market.pk if market else None,
        )


def person(name: str, **more: object) -> Person:
    return Person.objects.create(username=name, name=name.title(), email=f"{name}@example.org", **more)


@pytest.fixture
def city(db: None) -> City:  # noqa: ARG001
    house = Organisation.objects.create(name=named("上海市商务平台", "City of Shanghai"))
    buyer = Organisation.objects.create(name=named("浦江汽车", "Pujiang Motors"))
    seller = Organisation.objects.create(name=named("宝山特钢", "Baoshan Steel"))
    whole = Marketplace.objects.create(slug="city", name=named("城市", "City"), operator=house, is_city=True)
    market = Marketplace.objects.create(slug="auto", name=named("汽车市场", "Auto market"), operator=house)
    other = Marketplace.objects.create(slug="steel", name=named("钢铁市场", "Steel market"), operator=house)
    names = ("owner", "buyer", "approver", "finance", "warehouse", "clerk", "auditor")
    people = {name: person(name) for name in (*names, "operator", "arbiter", "mayor", "stranger", "rival")}
    people["regulator"] = person("regulator", city_roles=["regulator"])
    people["statistician"] = person("statistician", city_roles=["statistician"])
    for name in names:
        Membership.objects.create(organisation=buyer, person=people[name], roles=[name])
    Membership.objects.create(organisation=seller, person=people["rival"], roles=["owner"])
    MarketplaceRole.objects.create(marketplace=market, person=people["operator"], role="operator")
    MarketplaceRole.objects.create(marketplace=market, person=people["arbiter"], role="arbiter")
    MarketplaceRole.objects.create(marketplace=whole, person=people["mayor"], role="operator")
    return City(whole, market, other, buyer, seller, people)
