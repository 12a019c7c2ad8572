"""A city small enough to know by heart: one operator, one marketplace, a buyer's owner and a seller's clerk."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress

from huangpu.core.names import named
from huangpu.parties.models import Identifier, Marketplace, MarketplaceRole, Membership, Organisation, Person

PASSWORD = "river-of-five-strands"


@dataclass(frozen=True)
class City:
    city: Marketplace
    market: Marketplace
    buyer: Organisation
    seller: Organisation
    owner: Person
    clerk: Person
    operator: Person


def found() -> City:
    """Founds it. The owner of the buyer is also an auditor of the seller, so that there is something to switch to."""
    company = Organisation.objects.create(
        name=named("申城电子商务有限公司", "Shencheng E-Commerce Co., Ltd"),
        address="上海市黄浦区中山东一路 1 号",
        phone="021-6000 0000",
        email="operator@demo.invalid",
    )
    Identifier.objects.create(organisation=company, scheme="CN-USCC", value="91310101MA1FL0001X")
    buyer = Organisation.objects.create(name=named("上海电气重工有限公司", "Shanghai Electric Heavy Industries"))
    seller = Organisation.objects.create(name=named("宝山精钢有限公司", "Baoshan Fine Steel"))
    city = Marketplace.objects.create(
        slug="city", name=named("申城", "Shencheng"), operator=company, is_city=True, colour="#0b5c8a"
    )
    market = Marketplace.objects.create(
        slug="manufacturing",
        name=named("商和网", "Shanghe Procurement"),
        tagline=named("制造业招标与反向竞价", "Tenders and reverse auctions for manufacturers"),
        operator=company,
        colour="#0e7a5f",
        sectors=["manufacturing"],
    )
    owner, clerk, operator = (
        Person.objects.create_user(name, f"{name}@demo.invalid", PASSWORD, name=shown)
        for name, shown in (("lin", "林岚 Lin Lan"), ("zhou", "周明 Zhou Ming"), ("gu", "顾言 Gu Yan"))
    )
    for person in (owner, clerk, operator):
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    Membership.objects.create(organisation=buyer, person=owner, roles=["owner"])
    Membership.objects.create(organisation=seller, person=owner, roles=["auditor"])
    Membership.objects.create(organisation=seller, person=clerk, roles=["clerk", "finance"])
    MarketplaceRole.objects.create(marketplace=market, person=operator, role="operator")
    return City(city, market, buyer, seller, owner, clerk, operator)
