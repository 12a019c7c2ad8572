"""The auction room in a real browser: live frames, one-key bidding, extension, reconnection, and without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from huangpu.core import clock
from huangpu.core.names import named
from huangpu.markets.auction import acts
from huangpu.markets.auction.models import Auction
from huangpu.markets.auction.rules import AuctionRules
from huangpu.parties.models import Marketplace, Membership, Organisation, Person
from huangpu.parties.queries import actor_for

pytestmark = pytest.mark.django_db(transaction=True)

RULES = AuctionRules(duration_s=900, step_minor=50_000, step_ppm=0, window_s=900, extend_s=960, extensions_max=5)


class Market:
    """A buyer, three suppliers and an operator, each with a person who can sign in."""

    def __init__(self) -> None:
        house = Organisation.objects.create(name=named("上海市商务平台", "City of Shanghai"))
        self.place = Marketplace.objects.create(
            slug="auto", name=named("汽车零部件市场", "Auto parts market"), operator=house, sectors=["manufacturing"]
        )
        self.people: dict[str, Person] = {}
        self.buyer = self.organisation("buyer", "上海浦江汽车有限公司", "Pujiang Motors", "buyer")
        names = (
            ("宝山特钢有限公司", "Baoshan Steel"),
            ("嘉定齿轮厂", "Jiading Gears"),
            ("松江精工", "Songjiang Works"),
        )
        self.suppliers = [self.organisation(f"clerk{n}", zh, en, "clerk") for n, (zh, en) in enumerate(names, 1)]

    def organisation(self, login: str, zh: str, en: str, role: str) -> Organisation:
        made = Organisation.objects.create(name=named(zh, en))
        person = self.people[login] = Person.objects.create(username=login, name=login)
        Membership.objects.create(organisation=made, person=person, roles=[role])
        return made

    def actor(self, login: str) -> Any:
        return actor_for(person_id=self.people[login].pk, marketplace_id=self.place.pk)

    def auction(self, rules: AuctionRules = RULES) -> Auction:
        starts = (1_284_000_00, 1_310_000_00, 1_298_500_00)
        now = clock.now()
        return acts.schedule(
            actor=self.actor("buyer"),
            marketplace_id=self.place.pk,
            subject_id=self.place.pk,
            lot_id=None,
            currency="CNY",
            bidders=[
                (one.pk, f"#{n}", start) for n, (one, start) in enumerate(zip(self.suppliers, starts, strict=True), 1)
            ],
            rules=rules,
            opens_at=now - timedelta(seconds=300),
            now=now - timedelta(seconds=400),
            number="T-2026-000123",
            title=named("变速箱齿轮 12,000 套", "Gearbox gears, 12,000 sets"),
            budget_minor=1_400_000_00,
        )

    def bid(self, auction: Auction, login: str, amount: int, **ago: float) -> acts.Answer:
        when = clock.now() - timedelta(**ago)
        return acts.bid(actor=self.actor(login), auction_id=auction.id, amount=amount, received_at=when)

    def history(self, auction: Auction) -> None:
        """A quarter of an auction: enough for a curve."""
        amount, order = 1_284_000_00, (2, 3, 1, 2, 3, 3, 1, 2)
        for step, who in enumerate(order):
            amount -= 3_500_00 + step * 250_00
            self.bid(auction, f"clerk{who}", amount, seconds=280 - 33 * step)
        self.bid(auction, "clerk1", 1_283_900_00, seconds=5)


def signed_in(page: Page, live_server: Any, person: Person) -> Page:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def address(auction: Auction) -> str:
    return f"/m/auto/auctions/{auction.id}/"


def test_bidding_by_keyboard_while_others_watch(new_page: Any, live_server: Any, live: Any, axe: Any) -> None:
    market = Market()
    auction = market.auction()
    market.history(auction)
    bidder = signed_in(new_page(), live_server, market.people["clerk1"])
    buyer = signed_in(new_page(language="zh-hans"), live_server, market.people["buyer"])
    with live():
        for page in (bidder, buyer):
            page.goto(address(auction))
            expect(page.locator("#connection[data-state=live]")).to_be_visible()
            axe(page)
        expect(bidder.locator("#rank")).to_have_text("2 of 3")
        # the key B takes the highest amount that may be bid; Enter arms, Enter sends
        bidder.keyboard.press("b")
        expect(bidder.locator("#amount")).to_have_value("1253750.00")
        bidder.locator("#amount").fill("1,230,000")
        bidder.keyboard.press("Enter")
        expect(bidder.locator("#bid-word")).to_contain_text("Confirm")
        bidder.keyboard.press("Escape")
        expect(bidder.locator("#bid-word")).to_have_text("Bid")
        bidder.keyboard.press("Enter")
        bidder.keyboard.press("Enter")
        expect(bidder.locator("#bid-answer[data-answer=accepted]")).to_contain_text("No. 10:")
        expect(bidder.locator("#rank")).to_have_text("1 of 3")
        expect(buyer.locator("#lead")).to_have_text("¥1,230,000.00")
        expect(buyer.locator("#notice")).to_contain_text("延时")
        expect(buyer.locator("#log tr").first).to_have_attribute("data-sequence", "10")
        assert "Jiading" not in bidder.content()
        assert "嘉定" not in buyer.content()
        bidder.locator("#amount").fill("1229999.99")
        bidder.keyboard.press("Enter")
        bidder.keyboard.press("Enter")
        expect(bidder.locator("#bid-answer[data-answer=refused]")).to_contain_text("No. 11:")


def test_the_page_comes_back_by_itself(page: Page, live: Any) -> None:
    market = Market()
    auction = market.auction()
    with live():
        page.goto(address(auction))
        expect(page.locator("#connection[data-state=live]")).to_be_visible()
    expect(page.locator("#connection[data-state=lost]")).to_be_visible()
    market.bid(auction, "clerk2", 1_200_000_00)
    with live():
        expect(page.locator("#connection[data-state=live]")).to_be_visible(timeout=20_000)
        expect(page.locator("#lead")).to_have_text("CN¥1,200,000.00")


def test_without_a_script_the_room_still_takes_bids(browser: Any, live_server: Any) -> None:
    market = Market()
    auction = market.auction()
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = signed_in(context.new_page(), live_server, market.people["clerk2"])
    page.goto(address(auction))
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    page.locator("#amount").fill("1,250,000.00")
    page.locator("#bid-button").click()
    expect(page.locator(".hp-messages")).to_contain_text("No. 1:")
    expect(page.locator("#rank")).to_have_text("1 of 3")
    page.locator("#amount").fill("12,3x")
    page.locator("#bid-button").click()
    expect(page.locator("#bid-answer")).to_contain_text("12,3x")
    context.close()


def test_pictures(live_server: Any, live: Any, shots: Callable[..., list[Path]]) -> None:
    """Every view in both languages, at a desk and on a phone: none is wider than its screen."""
    market = Market()
    auction = market.auction()
    market.history(auction)
    with live():
        for login in ("clerk2", "buyer", ""):
            cookies = []
            if login:
                client = Client()
                client.force_login(market.people[login], backend="django.contrib.auth.backends.ModelBackend")
                cookies = [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            shots(address(auction), f"auction-{login or 'observer'}", cookies)
        shots("/m/auto/auctions/", "auction-list")
