"""The wallet in a real browser: topped up, read in both languages, nothing wider than a phone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.small_city import City, found

from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold
from huangpu.parties.actor import Actor


@pytest.fixture
def city(transactional_db: None) -> City:  # noqa: ARG001
    return found()


def test_the_wallet_is_topped_up_and_read(page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    signed_in(page, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    page.goto("/m/manufacturing/wallet/")
    page.locator("#f-in-amount").fill("512,400.00")
    page.get_by_role("button", name="Top up").click()
    page.wait_for_selector("text=came in from your bank")
    market = city.market.id
    wallet = AccountSpec(market, "wallet", city.seller.pk, "CNY").id
    shared = [AccountSpec(market, book, None, "CNY") for book in ("escrow", "fees")]
    acts.ensure_accounts(shared)
    for amount in (512_00, 88_000_00):
        hold = Hold(id=uuid7(), marketplace_id=market, debit=wallet, credit=shared[0].id, amount=amount, kind="escrow",
                    reference=uuid7())  # fmt: skip
        acts.post([hold])
    acts.post(
        [Capture(id=uuid7(), marketplace_id=market, hold_id=hold.id, amount=440_00, credit=shared[1].id, kind="charge")]
    )
    page.goto("/m/manufacturing/wallet/")
    axe(page)
    shots("/m/manufacturing/wallet/", "wallet", page.context.cookies())
    page.locator("#f-out-amount").fill("9,999,999")
    page.get_by_role("button", name="Withdraw").click()
    page.wait_for_selector("text=There is not enough money")
    axe(page)


def test_the_books_are_read(page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    finance = Actor(city.clerk.pk, city.seller.pk, city.market.id, frozenset({"finance"}))
    acts.top_up(actor=finance, marketplace_id=city.market.id,
                organisation_id=city.seller.pk, amount=1_000_000_00, currency="CNY", now=city.market.created_at)  # fmt: skip
    signed_in(page, Actor(city.operator.pk, None), live_server.url)
    page.goto("/m/manufacturing/books/")
    axe(page)
    shots("/m/manufacturing/books/", "books", page.context.cookies())
