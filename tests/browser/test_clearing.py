"""The clearing room in a real browser: a window is closed, confirmed by one operator and settled by another."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.payments.checkout.conftest import Shop, shop  # noqa: F401
from tests.payments.clearing.test_windows import back, gather, paid

from huangpu.parties.actor import Actor
from huangpu.parties.models import MarketplaceRole, Person


@pytest.fixture
def money(transactional_db: None, shop: Shop) -> Shop:  # noqa: ARG001, F811
    first = paid(shop, "pujiang", 1_280_000)
    paid(shop, "waitan", 410_000)
    gather(shop)
    back(shop, first, 30_000)
    gather(shop)
    return shop


def test_two_operators_settle_a_window(new_page: Any, live_server: Any, axe: Any, shots: Any, money: Shop) -> None:
    city = money.city
    other = Person.objects.create_user("shen", "shen@demo.invalid", "x", name="沈二 Shen Er")
    MarketplaceRole.objects.create(marketplace=city.market, person=other, role="operator")
    one, two = new_page(), new_page()
    signed_in(one, Actor(city.operator.pk, None), live_server.url)
    signed_in(two, Actor(other.pk, None), live_server.url)
    one.goto("/m/manufacturing/clearing/")
    assert "CN¥12,500.00" in one.inner_text("main")
    axe(one)
    shots("/m/manufacturing/clearing/", "clearing", one.context.cookies())
    one.get_by_role("link", name="Look into it").click()
    one.get_by_role("button", name="Close it now").click()
    one.get_by_role("button", name="Confirm the positions").click()
    one.wait_for_selector("text=You have confirmed it")
    two.goto(one.url)
    axe(two)
    two.get_by_role("button", name="Settle").click()
    two.wait_for_selector("text=The window is settled.")
    shots(two.url.removeprefix(live_server.url), "clearing-window", two.context.cookies())
