"""A whole trade by clicks: from a tender typed by keyboard over a live auction to settled funds, with three bidders.

The test does no act itself. It only lets time pass: it moves the house's clock and does what the worker does every two
seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from huangpu.core import clock
from huangpu.core.log.sequencer import sequence
from huangpu.core.names import named
from huangpu.flows.process import deadlines
from huangpu.flows.process.models import ApprovalRule
from huangpu.markets.auction import jobs as auctions
from huangpu.markets.auction.models import Pulse
from huangpu.markets.tender import jobs as tenders
from huangpu.parties.models import Marketplace, Membership, Organisation, Person

pytestmark = pytest.mark.django_db(transaction=True)

PRICE = re.compile(r"[\d,]+\.\d\d")
SUPPLIERS = (
    ("宝山特种钢有限公司", "Baoshan Special Steel", "周明 Zhou Ming"),
    ("嘉定齿轮厂", "Jiading Gear Works", "许静 Xu Jing"),
    ("松江精工有限公司", "Songjiang Precision", "高远 Gao Yuan"),
)
BIDS = (("820.00", "45000"), ("805.50", "47000"), ("830.00", "46100"))  # 120 sets and 2.5 t: 210,900; 214,160; 214,850


class House:
    """The house's clock and what its worker does by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        real = clock.now
        self.real = real
        monkeypatch.setattr(clock, "now", lambda: real() + self.ahead)

    def is_at(self, instant: datetime) -> None:
        """It is that instant now, and the house was up all the time: else an auction would be credited with an outage."""
        self.ahead = instant - self.real()
        Pulse.objects.update(alive_at=clock.now())
        self.works()

    def waits(self, **time: float) -> None:
        """Time passes."""
        self.is_at(clock.now() + timedelta(**time))

    def works(self) -> None:
        """What the worker does every two seconds."""
        auctions.close_due()
        tenders.sweep(clock.now())
        deadlines.sweep(clock.now())
        sequence()


@dataclass
class Town:
    """A marketplace, a buyer with an approver, three suppliers; a browser for each person, signed in by one click."""

    house: House
    open_page: Callable[..., Page]
    axe: Callable[[Page], None]
    shot: Callable[..., Path]
    language: str
    size: str
    pages: dict[str, Page] = field(default_factory=dict)

    def found(self) -> None:
        """Its parties. The buyer's own rule: an award of 100,000 yuan or more needs the approval of a colleague."""
        house = Organisation.objects.create(name=named("申城电子商务有限公司", "Shencheng E-Commerce"))
        Marketplace.objects.create(
            slug="city", name=named("申城", "Shencheng"), operator=house, is_city=True, colour="#0b5c8a"
        )
        Marketplace.objects.create(
            slug="gears", name=named("商和网", "Shanghe Procurement"), operator=house,
            sectors=["manufacturing"], fee_ppm=3000,
        )  # fmt: skip
        self.buyer = self._organisation("上海电气重工有限公司", "Shanghai Heavy Industries")
        self._person("lin", "林岚 Lin Lan", self.buyer, "buyer", "finance")
        self._person("han", "韩冰 Han Bing", self.buyer, "approver")
        for place, (zh, en, person) in enumerate(SUPPLIERS):
            self._person(f"supplier{place}", person, self._organisation(zh, en), "clerk", "finance", "warehouse")
        ApprovalRule.objects.create(
            organisation=self.buyer, act="tender.award", currency="CNY", amount_from=10_000_000, persons=1
        )

    def _organisation(self, zh: str, en: str) -> Organisation:
        return Organisation.objects.create(name=named(zh, en), district="baoshan", industry="equipment")

    def _person(self, login: str, name: str, organisation: Organisation, *roles: str) -> None:
        person = Person.objects.create_user(login, f"{login}@demo.invalid", None, name=name)
        Membership.objects.create(organisation=organisation, person=person, roles=list(roles))

    def sign_in(self, login: str) -> Page:
        """One click on the demo's door, in a browser of one's own."""
        page = self.pages[login] = self.open_page(language=self.language, size=self.size)
        page.goto("/accounts/login/?next=/m/gears/")
        page.get_by_role("button", name=Person.objects.get(username=login).name).click()
        expect(page.locator(".hp-acting")).to_have_count(1)
        return page

    def look(self, page: Page, name: str) -> None:
        """The page is accessible, no wider than its screen, has one heading, and is kept as a picture."""
        expect(page.locator("h1")).to_have_count(1)
        self.shot(page, f"journey-{self.language}-{name}")
        self.axe(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return House(monkeypatch)


def town_of(house: House, new_page: Any, axe: Any, shot: Any, language: str, size: str) -> Town:
    made = Town(house, new_page, axe, shot, language, size)
    made.found()
    return made


def press(page: Page, act: str, index: int = 0) -> None:
    """The button of a form, by where the form goes: in whatever language."""
    page.locator(f'form[action$="{act}/"] button:visible').nth(index).click()


def said(page: Page) -> Locator:
    return page.locator(".hp-message-success")


# ── the steps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def tab_to(page: Page, selector: str, most: int = 70) -> None:
    """Presses Tab until the focus is there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector} on {page.url}")


def typed(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def write_tender(town: Town, page: Page) -> str:
    """A tender with two lines, by keyboard alone, saved as a draft; returns its address."""
    page.goto("/m/gears/tenders/")
    town.look(page, "tenders-empty")
    tab_to(page, 'a[href$="/tenders/new/"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/tenders/new/")
    town.look(page, "tender-form")
    typed(page, "[name=title_zh]", "变速箱齿轮")
    typed(page, "[name=title_en]", "Gearbox gears")
    tab_to(page, "[name=procedure]")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=procedure]")).to_have_value("open_auction")
    typed(page, "[name=delivery_place]", "上海市闵行区江川路 1800 号")
    typed(page, "[name=line_name]", "Gear set 齿轮组 M4")
    typed(page, "[name=line_quantity]", "120")
    tab_to(page, 'button[value^="more:line"]')
    page.keyboard.press("Enter")
    expect(page.locator("[name=line_name]")).to_have_count(2)
    expect(page.locator("[name=line_name]").nth(1)).to_be_focused()
    page.keyboard.type("Gear oil 齿轮油 220")
    typed(page, "[name=line_quantity]", "2.5")
    typed(page, "[name=line_unit]", "TNE")
    typed(page, "[name=budget]", "230000")
    tab_to(page, "[name=bids_until]")
    ends = (clock.now() + timedelta(days=1)).astimezone(clock.SHANGHAI)
    page.keyboard.type(ends.strftime("%m%d%Y"))
    page.keyboard.press("ArrowRight")
    page.keyboard.type(ends.strftime("%I%M%p"))
    typed(page, "[name=standstill_days]", "2")
    tab_to(page, ".hp-form-acts button")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/tenders/T-[^/]+/$"))
    expect(said(page)).to_have_count(1)
    town.look(page, "tender-draft")
    return page.url


def talk(town: Town, tender: str, buyer: Page, supplier: Page) -> None:
    """The buyer publishes; a supplier asks; the buyer answers."""
    press(buyer, "do/publish")
    expect(said(buyer)).to_have_count(1)
    supplier.goto("/m/gears/tenders/")
    supplier.locator("main table a").first.click()
    assert supplier.url == tender
    supplier.locator('form[action$="/do/ask/"] textarea').fill("Are deliveries in parts accepted? 可否分批交货？")
    press(supplier, "do/ask")
    expect(said(supplier)).to_have_count(1)
    buyer.goto("/notices/")
    expect(buyer.locator(".hp-timeline li")).to_have_count(1)
    buyer.locator('.hp-timeline button[name="open"]').click()
    assert buyer.url.startswith(tender)
    buyer.locator('form[action$="/do/answer/"] textarea').fill("Yes, in two parts. 可以，分两批。")
    press(buyer, "do/answer")
    expect(said(buyer)).to_have_count(1)
    town.look(buyer, "tender-open-buyer")


def bid(town: Town, tender: str, page: Page, prices: tuple[str, str], look: bool) -> None:
    """A sealed bid, by the form."""
    page.goto(tender)
    page.locator('a[href$="/lots/1/bid/"]').click()
    for place, price in enumerate(prices):
        page.locator("[data-quantity] input").nth(place).fill(price)
    if look:
        expect(page.locator("[data-sum]")).not_to_have_text("–")
        town.look(page, "bid")
    page.locator("form[data-total] button").click()
    page.wait_for_url("**/#my-bids")
    expect(said(page)).to_have_count(1)


def nobody_sees_a_price(town: Town, tender: str, opened: Page) -> None:
    """Before the opening no page shows anybody a price of a bid, nor how many bids there are."""
    sums, words = ("210,900", "214,160", "214,850"), ("820.00", "805.50", "830.00")
    for page in (*town.pages.values(), opened):
        for address in (tender, f"{tender}evaluation/", "/m/gears/tenders/", "/desk/", "/notices/"):
            page.goto(address)
            text = page.content()
            assert not any(price in text for price in (*sums, *words)), (page.url, "shows a sealed price")
    opened.goto(tender)
    expect(opened.locator("tr", has_text="Baoshan")).to_have_count(0)


def auction(town: Town, tender: str, buyer: Page, suppliers: list[Page], live: Any) -> None:
    """The buyer starts the auction; in the live room the suppliers bid each other down by keyboard; time closes it."""
    buyer.goto(f"{tender}evaluation/")
    press(buyer, "do/auction")
    expect(said(buyer)).to_have_count(1)
    town.house.is_at(town.house.real())  # it has opened; the live process knows no other time
    with live():
        for page in (buyer, *suppliers):
            page.goto(tender)
            page.locator('main a[href*="/auctions/"]').first.click()
            expect(page.locator("#connection[data-state=live]")).to_be_visible()
        for page, offer in ((suppliers[1], "209000"), (suppliers[2], "205,000.00"), (suppliers[0], "201000")):
            page.locator("#amount").fill(offer)
            page.keyboard.press("Enter")  # arms
            page.keyboard.press("Enter")  # sends
            expect(page.locator("#bid-answer[data-answer=accepted]")).to_be_visible()
        expect(buyer.locator("#lead")).to_contain_text("201,000.00")
        for page, rank in zip(suppliers, "132", strict=True):
            expect(page.locator("#rank")).to_contain_text(rank)
        for page, name in ((buyer, "buyer"), (suppliers[0], "bidder")):
            town.look(page, f"auction-{name}")
            assert not re.search("Songjiang|松江", page.content()), "who bids stays unnamed"
    town.house.waits(minutes=40)  # the auction has closed; its final prices are taken over
    town.house.works()


def decide(town: Town, tender: str, buyer: Page, approver: Page) -> None:
    """The buyer ranks; its rule asks for a colleague's approval; the colleague approves on the desk and awards."""
    buyer.goto(f"{tender}evaluation/")
    press(buyer, "do/evaluate")
    expect(said(buyer)).to_have_count(1)
    town.look(buyer, "evaluation")
    expect(buyer.locator('form[action$="/do/award/"]')).to_have_count(0)
    press(buyer, "do/ask-award-approval")
    expect(said(buyer)).to_have_count(1)
    buyer.goto("/desk/")
    expect(buyer.locator('button[name="approves"]')).to_have_count(0)
    approver.goto("/desk/")
    assert "tender.award" not in approver.locator("main").inner_text(), "a code instead of words"
    town.look(approver, "desk-approval")
    approver.locator('button[name="approves"][value="yes"]').click()
    expect(said(approver)).to_have_count(1)
    approver.goto(f"{tender}evaluation/")
    press(approver, "do/award")
    expect(said(approver)).to_have_count(1)
    town.look(approver, "awarded")


def pay(town: Town, trade: str, buyer: Page) -> None:
    """The wallet is too small; it is topped up; the money goes into escrow."""
    buyer.goto(trade)
    press_perform(buyer, "hold")
    expect(buyer.locator(".hp-message-error")).to_be_visible()
    town.look(buyer, "trade-not-enough")
    buyer.locator('#act-hold a[href$="/wallet/"]').click()
    town.look(buyer, "wallet-empty")
    buyer.locator("#top-up input[name=amount]").fill("12,3x")
    buyer.locator("#top-up button").click()
    expect(buyer.locator("#top-up [aria-invalid=true]")).to_have_value("12,3x")
    buyer.locator("#top-up input[name=amount]").fill("250,000.00")
    buyer.locator("#top-up button").click()
    expect(said(buyer)).to_contain_text("250,000.00")
    expect(buyer.locator("#available")).to_contain_text("250,000.00")
    buyer.goto(trade)
    press_perform(buyer, "hold")
    expect(said(buyer)).to_have_count(1)


def press_perform(page: Page, action: str) -> None:
    page.locator(f"#act-{action} button[type=submit]").click()


def deliver(trade: str, seller: Page, *quantities: str) -> None:
    """A delivery in parts: the quantities of the lines."""
    seller.goto(trade)
    for place, quantity in enumerate(quantities):
        seller.locator("#act-deliver input[name^=quantity]").nth(place).fill(quantity)
    seller.locator("#act-deliver [name=tracking]").fill("SP-000123")
    press_perform(seller, "deliver")
    expect(said(seller)).to_have_count(1)


def do(page: Page, trade: str, action: str, **fields: str) -> None:
    page.goto(trade)
    for name, text in fields.items():
        page.locator(f"#act-{action} [name={name}]").fill(text)
    press_perform(page, action)
    expect(said(page)).to_have_count(1)


def amount(locator: Locator) -> str:
    found = PRICE.search(locator.inner_text())
    assert found, locator.inner_text()
    return found.group()


@pytest.mark.parametrize(("language", "size"), [("zh-hans", "phone"), ("en", "desktop")], ids=["zh", "en"])
def test_from_a_new_tender_to_settled_funds(
    house: House, new_page: Any, axe: Any, shot: Any, live: Any, language: str, size: str
) -> None:
    town = town_of(house, new_page, axe, shot, language, size)
    house.is_at(house.real() - timedelta(days=1, minutes=12))
    buyer, approver = town.sign_in("lin"), town.sign_in("han")
    tender = write_tender(town, buyer)
    suppliers = [town.sign_in(f"supplier{place}") for place in range(3)]
    talk(town, tender, buyer, suppliers[0])
    for place, (page, prices) in enumerate(zip(suppliers, BIDS, strict=True)):
        bid(town, tender, page, prices, look=place == 0)
    nobody_sees_a_price(town, tender, new_page(language=language))
    house.is_at(house.real() - timedelta(minutes=7))  # the bids are opened
    buyer.goto(tender)
    town.look(buyer, "tender-opened")
    auction(town, tender, buyer, suppliers, live)
    decide(town, tender, buyer, approver)
    house.waits(days=4)  # the standstill passes, the agreement is concluded

    buyer.goto("/m/gears/trades/")
    expect(buyer.locator("main table a")).to_have_count(1)
    town.look(buyer, "trades")
    buyer.locator("main table a").first.click()
    trade, seller = buyer.url, suppliers[0]
    expect(buyer.locator(".hp-lanes-picture .hp-lane-name")).to_have_count(5)
    pay(town, trade, buyer)
    deliver(trade, seller, "70", "1")
    do(buyer, trade, "accept", remark="ok")
    town.look(buyer, "trade-half")
    town.look(seller, "trade-seller") if seller.goto(trade) else None
    deliver(trade, seller, "50", "1.5")
    do(buyer, trade, "accept")
    do(seller, trade, "invoice", number="INV-2026-77")
    expect(seller.locator("h1 + .hp-status")).to_have_class(re.compile("hp-status-done"))
    town.look(seller, "trade-closed")

    seller.goto("/m/gears/wallet/")
    assert amount(seller.locator("#available")) == "200,397.00", "201,000.00 less the fee of 603.00"
    town.look(seller, "wallet-seller")
    buyer.goto("/m/gears/wallet/")
    assert amount(buyer.locator("#held")) == "0.00"
    buyer.goto(tender)
    expect(buyer.locator("#saving .tender-saving")).to_contain_text("29,000.00")
    town.look(buyer, "tender-concluded")
    seller.goto("/notices/")
    assert seller.locator(".hp-timeline li").count() >= 3
    town.look(seller, "notices")
    buyer.goto("/desk/")
    town.look(buyer, "desk-clear")
