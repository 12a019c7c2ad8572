"""Fills an empty installation with the demo city: the same city for the same seed and scale, made through the acts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection

from huangpu.city.board import acts as board
from huangpu.core import clock
from huangpu.core.db import execute, one_act
from huangpu.core.log.sequencer import sequence
from huangpu.core.names import in_language, named
from huangpu.flows.commerce.models import Item
from huangpu.flows.funds import acts as funds
from huangpu.flows.goods import acts as goods
from huangpu.flows.process import approvals
from huangpu.markets.history import files as history
from huangpu.parties import acts as parties
from huangpu.parties import gb32100
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Marketplace, Organisation, Person
from huangpu.parties.rules import Facts, Settings

from .catalogue import ACCOUNTS, DISTRICTS, GIVEN, INDUSTRIES, MARKETS, PASSWORD, Account, Industry, Market
from .paying import pay_everywhere
from .trading import trade_everywhere

SEED = 20100501  # the day the Expo opened
Progress = Callable[[str, int, int], None]
RICH = 200_000_000_000  # fen: what a buyer brings to the market


@dataclass
class Firm:
    """An organisation of the demo and the owner who acts for it."""

    organisation: Organisation
    industry: Industry | None
    owner: Person
    market: UUID | None = None

    def actor(self) -> Actor:
        return Actor(self.owner.id, self.organisation.id, self.market, frozenset({"owner"}))


@dataclass
class Stall:
    """A marketplace with its buyers and suppliers."""

    market: Marketplace
    plan: Market
    buyers: list[Firm] = field(default_factory=list)
    suppliers: list[Firm] = field(default_factory=list)


@dataclass
class City:
    """Everything made so far."""

    random: Random
    now: datetime
    scale: int
    progress: Progress
    names: list[tuple[str, str]]
    operator: Firm | None = None
    stalls: list[Stall] = field(default_factory=list)


def fill(scale: int, progress: Progress) -> None:
    """Makes the whole city. `scale` multiplies its firms and tenders; `progress(name, done, total)` is told what is done."""
    random = Random(SEED)
    names = list(GIVEN)
    random.shuffle(names)
    city = City(random, clock.now(), scale, progress, names)
    execute("SET synchronous_commit = off")  # a city that was left half-built is built anew
    _found(city)
    for number, plan in enumerate(MARKETS, 1):
        with one_act():
            _open_stall(city, plan)
        progress("Marketplaces and firms", number, len(MARKETS))
    _people(city)
    with _at_the_same_time(_history, city):
        trade_everywhere(city)
        pay_everywhere(city)
    execute("SET synchronous_commit = on")
    sequence()  # the commit that brings everything before it to the disk
    board.catch_up()  # so that the first page has its figures


@contextmanager
def _at_the_same_time(what: Callable[[City], None], city: City) -> Iterator[None]:
    """Does something in a thread of its own, on a connection of its own, that takes nothing of the city's chance."""

    def run() -> None:
        try:
            what(city)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        begun = thread.submit(run)
        yield
        begun.result()


def _found(city: City) -> None:
    facts = _facts(
        city, ("浦江电子商务服务中心", "Pujiang E-Commerce Service"), "huangpu", "", authority="1", category="2"
    )
    settings = Settings(
        name=named("黄浦", "Huangpu"),
        tagline=named("一城五流，一江汇之", "Five flows, one river"),
        sectors=(),
        colour="#0b5c8a",
    )
    market = parties.found_city(actor=SYSTEM, operator=facts, settings=settings, now=_past(city, 400))
    city.operator = _firm(market.operator, None, market.id)


def _open_stall(city: City, plan: Market) -> None:
    operator = _register(city, (f"{plan.zh}运营有限公司", f"{plan.en} Operations"), "huangpu", "")
    settings = Settings(
        name=named(plan.zh, plan.en), tagline=named(*plan.tagline), colour=plan.colour, fee_ppm=plan.fee_ppm,
        sectors=("manufacturing",), markets=("tender", "auction"),
    )  # fmt: skip
    market = parties.open_marketplace(
        actor=SYSTEM, slug=plan.slug, operator_id=operator.organisation.id, settings=settings, now=_past(city, 390)
    )
    stall = Stall(market, plan)
    for industry in (item for item in INDUSTRIES if item.code in plan.industries):
        for _number in range(2 * city.scale):
            stall.buyers.append(_trader(city, stall, industry, industry.maker, "集团", "Group"))
        for _number in range(4 * city.scale):
            stall.suppliers.append(_trader(city, stall, industry, industry.seller, "有限公司", "Co."))
    city.stalls.append(stall)


def _trader(city: City, stall: Stall, industry: Industry, kind: tuple[str, str], zh: str, en: str) -> Firm:
    given = (
        city.names.pop()
        if city.names
        else (f"海纳{city.random.randrange(10**6)}", f"Haina {city.random.randrange(10**6)}")
    )
    district = city.random.choice(list(DISTRICTS))
    firm = _register(
        city, (f"上海{given[0]}{kind[0]}{zh}", f"Shanghai {given[1]} {kind[1]} {en}"), district, industry.code
    )
    firm.industry, firm.market = industry, stall.market.id
    _equip(city, stall, firm)
    return firm


def _equip(city: City, stall: Stall, firm: Firm) -> None:
    """Money, a yard, catalogue items and what lies in the yard."""
    common: dict[str, Any] = {"marketplace_id": stall.market.id, "now": _past(city, 380)}
    funds.top_up(actor=SYSTEM, organisation_id=firm.organisation.id, amount=RICH * city.scale, currency="CNY", **common)
    name = named("一号库", "Warehouse 1")
    place = goods.open_place(
        actor=firm.actor(), organisation_id=firm.organisation.id, code="W1", name=name, now=_past(city, 380)
    )
    for number, good in enumerate(firm.industry.goods if firm.industry else ()):
        item = Item.objects.create(
            owner=firm.organisation, code=f"M{number + 1:03}", name=named(good.zh, good.en), unit=good.unit,
            industry=firm.industry.code if firm.industry else "",
        )  # fmt: skip
        goods.take_in(actor=SYSTEM, place_id=place.id, item_id=item.id, quantity=Decimal(good.quantity), **common)


def _register(city: City, name: tuple[str, str], district: str, industry: str) -> Firm:
    facts = _facts(city, name, district, industry)
    organisation = parties.register_organisation(actor=SYSTEM, facts=facts, now=_past(city, 395))
    return _firm(organisation, None, None)


def _firm(organisation: Organisation, industry: Industry | None, market: UUID | None) -> Firm:
    owner = Person(username=f"owner-{organisation.id.hex[-10:]}", name=in_language(organisation.name, "zh-hans"))
    owner.set_unusable_password()
    owner.save()
    parties.add_member(
        actor=SYSTEM, organisation_id=organisation.id, person_id=owner.id, roles=["owner"], now=organisation.created_at
    )
    return Firm(organisation, industry, owner, market)


def _facts(
    city: City, name: tuple[str, str], district: str, industry: str, *, authority: str = "9", category: str = "1"
) -> Facts:
    zh, en, division = DISTRICTS[district]
    code = gb32100.make(city.random, division=division, authority=authority, category=category)
    street = city.random.choice((("江湾路", "Jiangwan Road"), ("申港路", "Shengang Road"), ("沪闵路", "Humin Road")))
    number = city.random.randrange(1, 2000)
    return Facts(
        name=named(*name), identifiers=(("CN-USCC", code),), district=district, industry=industry,
        address=f"上海市{zh}{street[0]}{number}号 · {number} {street[1]}, {en}",
        email=f"office@{code.lower()}.example", phone=f"021-{city.random.randrange(5000_0000, 6999_9999)}",
    )  # fmt: skip


def _people(city: City) -> None:
    """The persons one can sign in as, in the first marketplace."""
    stall = city.stalls[0]
    operator = Organisation.objects.get(pk=stall.market.operator_id)
    assert city.operator is not None
    firms = {
        "buyer": stall.buyers[0].organisation,
        "supplier1": stall.suppliers[0].organisation,
        "supplier2": stall.suppliers[1].organisation,
        "supplier3": stall.suppliers[2].organisation,
        "operator": operator,
        "city": city.operator.organisation,
    }
    for number, account in enumerate(ACCOUNTS, 1):
        _sign_up(city, stall, account, firms[account.firm])
        city.progress("People", number, len(ACCOUNTS))
    owner = Actor(stall.buyers[0].owner.id, firms["buyer"].id, stall.market.id, frozenset({"owner"}))
    approvals.set_rule(
        actor=owner, act_name="tender.award", currency="CNY", amount_from=500_000_000, persons=1, now=_past(city, 90)
    )


@cache
def _hashed(password: str) -> str:
    """The demo's password is nobody's secret: one hash serves all its persons."""
    return make_password(password)


def _sign_up(city: City, stall: Stall, account: Account, firm: Organisation) -> None:
    person = Person(
        username=account.username, name=f"{account.zh} {account.en.split(',')[0]}", email=f"{account.username}@demo.invalid",
        city_roles=list(account.city_roles),
    )  # fmt: skip
    person.password = _hashed(PASSWORD)
    person.save()
    # known to be theirs, so that a passkey or a second factor can be set up
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    common: dict[str, Any] = {"person_id": person.id, "now": _past(city, 120)}
    parties.add_member(actor=SYSTEM, organisation_id=firm.id, roles=list(account.roles), **common)
    if account.market_role:
        parties.grant_marketplace_role(actor=SYSTEM, marketplace_id=stall.market.id, role=account.market_role, **common)


def _history(city: City) -> None:
    """Real tenders of two countries, as history, in the first marketplace."""
    folder = Path(history.__file__).parent / "data" / "ocds" / "records"
    files = history.found([folder])
    for number, file in enumerate(files, 1):
        history.take(file, actor=SYSTEM, marketplace_id=city.stalls[0].market.id, clock=clock.now)
        city.progress("Imported history", number, len(files))


def _past(city: City, days: float) -> datetime:
    return city.now - timedelta(days=days)
