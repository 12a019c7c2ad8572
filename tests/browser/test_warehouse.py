"""The warehouse in a real browser: goods taken in, counted and moved, a shipment read, in both languages and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.test_tender import signed_in
from tests.flows.goods.test_delivered_lots import concluded, do, ordinal_of, w  # noqa: F401
from tests.flows.goods.warehouse import Warehouse

from huangpu.flows.goods.models import Shipment, Stock


@pytest.fixture
def house(transactional_db: None, w: Warehouse) -> Warehouse:  # noqa: ARG001, F811
    w.take_in(w.coil, "120.5", lot="L2026-11")
    w.take_in(w.pump, "3", serials=("SN-0001", "SN-0002", "SN-0003"))
    w.take_in(w.coil, "40", at=w.shop)
    trade = concluded(w, "2", w.pump)
    named = {
        "commitment": ordinal_of(trade, "deliver"),
        "serials": ["SN-0001", "SN-0003"],
        "from_place": str(w.yard.pk),
    }
    do(w, trade, "deliver", lots=[named], carrier="顺丰", tracking="SF1392")
    concluded(w, "30", w.coil, from_place=str(w.yard.pk), lot="L2026-11")
    return w


def test_goods_are_taken_in_counted_and_moved(
    page: Any, live_server: Any, axe: Any, shots: Any, house: Warehouse
) -> None:
    signed_in(page, house.actor(), live_server.url)
    page.goto("/m/manufacturing/stock/")
    axe(page)
    page.get_by_role("button", name="Take goods in").click()
    axe(page)
    page.locator("#f-place").select_option(label="W1 · Warehouse 1")
    page.locator("#f-item").fill("M001")
    page.locator("#f-quantity").fill("7.25")
    page.locator("#f-lot").fill("L9")
    page.get_by_role("button", name="Take in").click()
    page.wait_for_selector("text=The goods are in stock")
    page.locator("#f-count-counted").fill("7")
    page.get_by_role("button", name="Record the count").click()
    page.wait_for_selector("text=The count is recorded")
    page.locator("#f-off-quantity").fill("9")
    page.get_by_role("button", name="Write off").click()
    page.wait_for_selector("text=There is not enough stock")
    axe(page)
    page.locator("#f-go-quantity").fill("2")
    page.locator("#f-go-place").select_option(label="S1 · Shop")
    page.get_by_role("button", name="Move", exact=True).click()
    page.wait_for_selector("text=at their new place")
    assert page.locator("#on-hand").inner_text() == "2 t"
    axe(page)
    at, cookies = "/m/manufacturing/stock/", page.context.cookies()
    coil = Stock.objects.get(lot="L2026-11", place=house.yard)
    shipment = Shipment.objects.get()
    for path, name in (
        (at, "stock"), (f"{at}take-in/", "take-in"), (f"{at}{coil.pk}/", "balance"), (f"{at}places/", "places"),
        (f"{at}places/{house.yard.pk}/", "place"), (f"{at}movements/", "movements"), (f"{at}shipments/", "shipments"),
        (f"{at}shipments/{shipment.pk}/", "shipment"), ("/m/manufacturing/stock/items/", "items"),
        (f"/m/manufacturing/stock/items/{house.coil.pk}/", "item"),
    ):  # fmt: skip
        page.goto(path)
        axe(page)
        shots(path, f"goods-{name}", cookies)
