"""A person pays in a real browser: by a link at a bank, by a QR code, by a wallet's code, by phone. The
banks are the simulated ones, in their own process; the jobs between are done by the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.simulated_banks import Banks, banks_for
from tests.small_city import City, found
from tests.waiting_jobs import run_jobs

from huangpu.core.verify import all_checks
from huangpu.flows.funds import acts as funds
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.payments.checkout.models import Checkout
from huangpu.payments.operations.models import Notification, Operation

M = "/m/manufacturing"


@pytest.fixture
def city(transactional_db: None) -> City:  # noqa: ARG001
    return found()


@pytest.fixture
def banks(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[Banks]:
    settings.HUANGPU = replace(settings.HUANGPU, data=tmp_path)
    with banks_for(live_server.url, tmp_path) as running:
        yield running


def until(page: Any, text: str) -> None:
    """Does what the worker would do until a text is shown."""
    for _round in range(60):
        run_jobs()
        if page.get_by_text(text).first.is_visible():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"“{text}” is not shown: {page.inner_text('main')[:600]}")


def until_at(page: Any, part: str) -> None:
    """The same until the page's address has that part."""
    for _round in range(60):
        run_jobs()
        if part in page.url:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"still at {page.url}")


def asks(page: Any, way: str, amount: str = "258.00", **more: str) -> None:
    page.goto(f"{M}/takings/new/{way}/")
    page.locator("#f-amount").fill(amount)
    page.locator("#f-title").fill("Two desk lamps")
    for field, value in more.items():
        page.locator(f"#f-{field}").fill(value)


def test_by_a_link_at_a_bank(new_page: Any, live_server: Any, axe: Any, shots: Any, city: City, banks: Banks) -> None:
    shop, payer = new_page(), new_page(size="phone")
    signed_in(shop, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    asks(shop, "web")
    axe(shop)
    shots(f"{M}/takings/new/web/", "pay-new", shop.context.cookies())
    shop.get_by_role("button", name="Ask for it").click()
    link = shop.locator("#pay-link").inner_text()
    axe(shop)

    payer.goto(link)
    axe(payer)
    shots(link.removeprefix(live_server.url), "pay-link", payer.context.cookies())
    payer.get_by_label("Bund Bank").check()
    payer.get_by_role("button", name="Pay").click()
    until_at(payer, f"{banks.url}/waitan/orders/")
    axe(payer)
    payer.get_by_role("button", name="Do not pay").click()
    until(payer, "You did not agree at the bank")
    payer.get_by_label("Pujiang Bank").check()
    payer.get_by_role("button", name="Pay").click()
    until_at(payer, f"{banks.url}/pujiang/orders/")
    payer.get_by_role("button", name="Agree and pay").click()
    until(payer, "Paid. Thank you.")
    axe(payer)
    shots(link.removeprefix(live_server.url), "pay-paid", payer.context.cookies())
    assert {note.outcome for note in Notification.objects.all()} == {"declined", "succeeded"}

    shop.wait_for_selector("#f-refund-amount")  # the page looks by itself, and loads anew
    shop.locator("#f-refund-amount").fill("58.00")
    shop.get_by_role("button", name="Pay back").click()
    run_jobs()
    shop.reload()
    shop.wait_for_selector("text=CN¥58.00")
    axe(shop)
    shots(shop.url.removeprefix(live_server.url), "pay-request", shop.context.cookies())
    shop.goto(f"{M}/takings/")
    assert (shop.locator("#taken").inner_text(), shop.locator("#paid-back").inner_text()) == ("CN¥258.00", "CN¥58.00")
    axe(shop)
    shots(f"{M}/takings/", "pay-takings", shop.context.cookies())
    assert [check for check in all_checks() if not check.ok] == []


def test_by_a_qr_code_on_a_phone(
    new_page: Any, live_server: Any, axe: Any, shots: Any, city: City, banks: Banks
) -> None:
    """The merchant shows a code; the payer's phone reads its text, and pays at a bank."""
    shop, payer = new_page(), new_page(language="zh-hans", size="phone")
    signed_in(shop, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    asks(shop, "qr", "12.00")
    shop.get_by_role("button", name="Ask for it").click()
    assert shop.locator(".hp-qr svg").count() == 1
    axe(shop)
    shots(shop.url.removeprefix(live_server.url), "pay-qr", shop.context.cookies())
    text = shop.locator("#emv").text_content()
    payer.goto(f"{M}/pay/scan/")
    axe(payer)
    payer.locator("#f-code").fill(text)
    payer.get_by_role("button", name="继续").click()
    payer.get_by_label("江付通").check()
    payer.get_by_role("button", name="支付").click()
    until_at(payer, f"{banks.url}/jiangpay/orders/")
    payer.get_by_role("button", name="中文").click()
    payer.get_by_role("button", name="确认付款").click()
    until(payer, "付款成功")
    assert Operation.objects.get().state == "succeeded"


@pytest.mark.usefixtures("banks")
def test_by_the_code_of_a_wallet(new_page: Any, live_server: Any, axe: Any, shots: Any, city: City) -> None:
    """The payer's phone shows a code, the merchant types it."""
    funds.top_up(actor=SYSTEM, marketplace_id=city.market.pk, organisation_id=city.buyer.pk, amount=500_00, currency="CNY",
                 now=city.market.created_at)  # fmt: skip
    shop, payer = new_page(), new_page(size="phone")
    signed_in(shop, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    signed_in(payer, Actor(city.owner.pk, city.buyer.pk), live_server.url)
    payer.goto(f"{M}/pay/my-code/")
    axe(payer)
    shots(f"{M}/pay/my-code/", "pay-code", payer.context.cookies())
    asks(shop, "code", "88.00", code=payer.locator("#pay-code").inner_text())
    shop.get_by_role("button", name="Take the payment").click()
    until(shop, "Paid")
    payer.reload()
    payer.wait_for_selector("text=CN¥412.00 can be spent")


def test_an_order_by_phone(new_page: Any, live_server: Any, axe: Any, shots: Any, city: City, banks: Banks) -> None:
    """The clerk has the bank send a code to the payer's phone, and passes on what the payer tells."""
    shop, phone = new_page(), new_page(size="phone")
    signed_in(shop, Actor(city.clerk.pk, city.seller.pk), live_server.url)
    asks(shop, "phone", "1,200.00", phone="+86 138 0000 1234")
    shop.get_by_label("Pujiang Bank").check()
    axe(shop)
    shop.get_by_role("button", name="Have the code sent").click()
    run_jobs()
    phone.goto(f"{banks.url}/phone/+8613800001234/")
    code = phone.locator("[data-code]").get_attribute("data-code")
    axe(phone)
    shop.locator("#f-code").fill("000000" if code != "000000" else "111111")
    shop.get_by_role("button", name="Pass it on").click()
    until(shop, "That was not the code")
    shots(shop.url.removeprefix(live_server.url), "pay-phone", shop.context.cookies())
    shop.locator("#f-code").fill(code)
    shop.get_by_role("button", name="Pass it on").click()
    until(shop, "Paid")
    assert Checkout.objects.get().payment.captured == 120_000  # type: ignore[union-attr]
