"""A cashier at a card terminal on the screen: ISO 8583 over TCP to the listener, and the simulated acquirer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.payments.terminals.conftest import made_closing
from tests.payments.terminals.shop import served
from tests.simulated_banks import banks_for
from tests.small_city import City, found

from huangpu.core.verify import all_checks
from huangpu.flows.funds.queries import wallet
from huangpu.parties.actor import Actor

M = "/m/manufacturing"


@pytest.fixture
def city(transactional_db: None) -> City:  # noqa: ARG001
    return found()


@pytest.fixture
def acquirer(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[None]:
    with banks_for(live_server.url, tmp_path), served(made_closing()) as port:
        settings.HUANGPU = replace(settings.HUANGPU, data=tmp_path, pos_port=port)
        yield


@pytest.mark.usefixtures("acquirer")
def test_a_day_at_the_till(page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    signed_in(page, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    page.goto(f"{M}/pos/")
    axe(page)
    page.locator("#f-name").fill("Till 1")
    page.get_by_role("button", name="Enrol").click()
    axe(page)
    for key in ("2", "5", "8", ".", "5", "0"):
        page.locator(f"[data-key='{key}']").click()
    page.get_by_role("button", name="Take the payment").click()
    page.wait_for_selector("text=Approved.")
    assert "CN¥258.50" in page.locator(".hp-receipt").inner_text()
    page.locator("#f-amount").fill("12.51")
    page.get_by_role("button", name="Take the payment").click()
    page.wait_for_selector("text=Declined:")
    page.locator("#f-amount").fill("40")
    page.get_by_role("button", name="Take the payment").click()
    page.wait_for_selector("text=Approved.")
    axe(page)
    shots(page.url.removeprefix(live_server.url), "pos-terminal", page.context.cookies())
    page.get_by_role("button", name="Void").first.click()
    page.wait_for_selector("text=Approved.")
    market, seller = city.market.pk, city.seller.pk
    assert wallet(market, seller, "CNY").available == 25_850  # the void is held, and goes out when the day is settled
    page.get_by_role("button", name="Settle the day").click()
    page.wait_for_selector("text=The day is settled.")
    page.goto(f"{M}/pos/")
    assert "CN¥298.50" in page.inner_text("main")
    axe(page)
    shots(f"{M}/pos/", "pos-terminals", page.context.cookies())
    page.goto(f"{M}/takings/")
    page.wait_for_selector("text=By terminals and the API")
    assert [check for check in all_checks() if not check.ok] == []


@pytest.mark.usefixtures("acquirer")
def test_a_form_that_was_sent_twice_takes_one_payment(page: Any, live_server: Any, city: City) -> None:
    signed_in(page, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    page.goto(f"{M}/pos/")
    page.locator("#f-name").fill("Till 1")
    page.get_by_role("button", name="Enrol").click()
    page.locator("#f-amount").fill("10")
    form = page.evaluate(
        "() => new URLSearchParams(new FormData(document.querySelector('#sale'))).toString() + '&do=sale'"
    )
    for status in (200, 409):
        answer = page.request.post(page.url, data=form, headers={
            "Content-Type": "application/x-www-form-urlencoded", "Referer": page.url})  # fmt: skip
        assert answer.status == status
    assert wallet(city.market.pk, city.seller.pk, "CNY").posted == 1_000
